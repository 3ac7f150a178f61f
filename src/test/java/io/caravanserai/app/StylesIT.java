package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.caravanserai.config.HubSettings;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventType;
import io.caravanserai.order.Currency;
import io.caravanserai.order.Order;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Style;
import io.caravanserai.outbox.StoredEvent;
import io.caravanserai.saga.SagaStatus;
import io.caravanserai.service.order.HistoryEntry;
import io.caravanserai.service.order.OrderView;
import io.caravanserai.subscriber.analytics.Analytics;
import io.caravanserai.subscriber.analytics.Figures;
import io.caravanserai.subscriber.notification.Notification;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** All styles side by side in one hub, with a real broker. */
class StylesIT {
    private static final int MIXED = 500;

    @TempDir
    static Path folder;

    private static CoreHub hub;
    private static final AtomicInteger NUMBER = new AtomicInteger();

    @BeforeAll
    static void start() throws Exception {
        hub = CoreHub.start(
                TestSettings.in(folder, new HubSettings.Saga(Duration.ofHours(1), 10, Duration.ofMillis(100))));
        hub.stock("SADDLE-01", 1_000_000);
        hub.stock("GONE-02", 0);
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    /** The properties of an order that determine the end. */
    private record Kind(String sku, String paymentMethod, String country, OrderStatus status, Reason reason) {}

    private static final List<Kind> KINDS = List.of(
            new Kind("SADDLE-01", "pm_card_visa", "NL", OrderStatus.SHIPPED, null),
            new Kind("SADDLE-01", "pm_flaky_2", "NL", OrderStatus.SHIPPED, null),
            new Kind("SADDLE-01", "pm_slow_300", "NL", OrderStatus.SHIPPED, null),
            new Kind("SADDLE-01", "pm_card_declined", "NL", OrderStatus.CANCELLED, Reason.PAYMENT_DECLINED),
            new Kind("GONE-02", "pm_card_visa", "NL", OrderStatus.CANCELLED, Reason.OUT_OF_STOCK),
            new Kind("UNHEARD-OF", "pm_card_visa", "NL", OrderStatus.CANCELLED, Reason.UNKNOWN_SKU),
            new Kind("SADDLE-01", "pm_card_visa", "AQ", OrderStatus.CANCELLED, Reason.SHIPPING_REFUSED),
            new Kind("SADDLE-01", "pm_flaky_9", "NL", OrderStatus.CANCELLED, Reason.SERVICE_UNAVAILABLE));

    private static Order order(String orderId, Kind kind) {
        return new Order(
                orderId,
                "C-1",
                List.of(new Order.Item(kind.sku(), 2, new BigDecimal("50.00"))),
                Currency.getInstance("EUR"),
                kind.paymentMethod(),
                new Order.Address(null, null, null, null, kind.country()));
    }

    private static String newId(Style style) {
        return style.wire() + "-" + NUMBER.incrementAndGet();
    }

    @Test
    void theSameOrdersEndTheSameInEveryStyle() throws Exception {
        Map<String, Kind> expected = new HashMap<>();
        List<CompletableFuture<Void>> ends = new ArrayList<>();
        for (int i = 0; i < MIXED; i++) {
            Kind kind = KINDS.get(i % KINDS.size());
            for (Style style : Style.values()) {
                String orderId = newId(style);
                expected.put(orderId, kind);
                ends.add(hub.submit(order(orderId, kind), style));
            }
        }

        CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new)).get(15, TimeUnit.MINUTES);

        expected.forEach((orderId, kind) -> {
            OrderView order = hub.order(orderId);
            assertThat(order.reason()).as(orderId).isEqualTo(kind.reason());
            assertThat(order.status()).as(orderId).isEqualTo(kind.status());
        });
        expected.forEach(
                (orderId, kind) -> assertThat(types(orderId)).as(orderId).isEqualTo(eventsOf(kind)));
        eachEventIsValidAndOfItsStyle();
        figuresAgree();
        assertThat(hub.messaging
                        .deadLetters
                        .list(DeadLetters.Filter.ALL, null, 10)
                        .join())
                .isEmpty();
    }

    private static void figuresAgree() {
        Analytics analytics = hub.subscribers.analytics;
        long orders = hub.store
                .read(tx -> tx.first("SELECT COUNT(*) FROM orders", row -> row.getLong(1)))
                .join()
                .orElseThrow();
        await().untilAsserted(() -> {
            Figures live = analytics.figures().join();
            assertThat(live.byStatus()).containsOnlyKeys("SHIPPED", "CANCELLED");
            assertThat(live.orders()).isEqualTo(orders);
            assertThat(live.byStyle().values()).allMatch(ofStyle -> ofStyle >= MIXED);
        });
        Figures live = analytics.figures().join();
        analytics.rebuild().join();
        assertThat(analytics.figures().join()).isEqualTo(live);
    }

    private static void eachEventIsValidAndOfItsStyle() {
        long after = 0;
        List<StoredEvent> page;
        do {
            page = hub.messaging.log.after(after, 500).join();
            for (StoredEvent each : page) {
                after = each.sequence();
                CloudEvent event = each.event();
                assertThat(hub.messaging.codec.write(event)).hasSize(1);
                assertThat(event.orderId()).startsWith(event.context().style().wire());
            }
        } while (!page.isEmpty());
    }

    private static List<EventType> types(String orderId) {
        return types(hub, orderId);
    }

    private static List<EventType> types(CoreHub hub, String orderId) {
        return hub.messaging.log.ofOrder(orderId, 0, 50).join().stream()
                .map(each -> each.event().type())
                .toList();
    }

    private static List<EventType> eventsOf(Kind kind) {
        if (kind.reason() == null) {
            return List.of(
                    EventType.OrderCreated,
                    EventType.ItemsReserved,
                    EventType.PaymentProcessed,
                    EventType.OrderShipped);
        }
        return switch (kind.reason()) {
            case OUT_OF_STOCK, UNKNOWN_SKU ->
                List.of(EventType.OrderCreated, EventType.ReservationFailed, EventType.OrderCancelled);
            case SHIPPING_REFUSED ->
                List.of(
                        EventType.OrderCreated,
                        EventType.ItemsReserved,
                        EventType.PaymentProcessed,
                        EventType.ShippingFailed,
                        EventType.PaymentRefunded,
                        EventType.ItemsReleased,
                        EventType.OrderCancelled);
            default ->
                List.of(
                        EventType.OrderCreated,
                        EventType.ItemsReserved,
                        EventType.PaymentFailed,
                        EventType.ItemsReleased,
                        EventType.OrderCancelled);
        };
    }

    @ParameterizedTest
    @EnumSource(Style.class)
    void transientFailuresAreInHistory(Style style) throws Exception {
        String orderId = newId(style);

        hub.submit(order(orderId, KINDS.get(1)), style).get(60, TimeUnit.SECONDS);

        List<HistoryEntry> history =
                hub.store.read(tx -> hub.core.history.of(tx, orderId)).join();
        assertThat(history)
                .filteredOn(entry -> entry.name().equals("process-payment"))
                .extracting(HistoryEntry::outcome)
                .containsExactly("retrying", "retrying", "done");
        // The flows wait 100 ms, then 200 ms.
        assertThat(history)
                .filteredOn(entry -> entry.outcome().equals("retrying"))
                .extracting(
                        entry -> Duration.between(entry.at(), entry.nextAt()).toMillis() / 100.0)
                .satisfiesExactly(
                        first -> assertThat(first).isBetween(0.0, 1.0),
                        second -> assertThat(second).isBetween(1.0, 2.0));
    }

    @Test
    void orderPastDeadlineIsCompensatedInEveryStyle(@TempDir Path other) throws Exception {
        Kind kind = new Kind("SADDLE-01", "pm_slow_60000", "NL", OrderStatus.CANCELLED, Reason.TIMED_OUT);
        HubSettings.Saga impatient = new HubSettings.Saga(Duration.ofSeconds(10), 10, Duration.ofMillis(100));
        try (CoreHub hub = CoreHub.start(TestSettings.in(other, impatient))) {
            hub.stock("SADDLE-01", 100);
            // A hub that has just started may be slow for the first orders.
            for (Style style : Style.values()) {
                hub.submit(order(newId(style), KINDS.get(0)), style).get(60, TimeUnit.SECONDS);
            }
            Map<String, CompletableFuture<Void>> ends = new HashMap<>();
            for (Style style : Style.values()) {
                String orderId = newId(style);
                ends.put(orderId, hub.submit(order(orderId, kind), style));
            }

            CompletableFuture.allOf(ends.values().toArray(CompletableFuture[]::new))
                    .get(60, TimeUnit.SECONDS);

            ends.forEach((orderId, ended) -> {
                assertThat(hub.order(orderId).reason()).as(orderId).isEqualTo(Reason.TIMED_OUT);
                assertThat(hub.order(orderId).status()).as(orderId).isEqualTo(OrderStatus.CANCELLED);
                assertThat(types(hub, orderId)).as(orderId).isEqualTo(UNDONE_IN_TIME);
            });
        }
    }

    private static final List<EventType> UNDONE_IN_TIME = List.of(
            EventType.OrderCreated,
            EventType.ItemsReserved,
            EventType.OrderTimedOut,
            EventType.ItemsReleased,
            EventType.OrderCancelled);

    @Test
    void operatorCancelsOrderWithoutSaga() throws Exception {
        String orderId = newId(Style.CHOREOGRAPHY);
        Kind kind = new Kind("SADDLE-01", "pm_slow_30000", "NL", null, null);
        CompletableFuture<Void> ended = hub.submit(order(orderId, kind), Style.CHOREOGRAPHY);
        await().until(() -> hub.order(orderId).status() == OrderStatus.RESERVED);

        hub.store
                .<Void>write("cancel", orderId, tx -> {
                    OrderView order = hub.core.orders.view(tx, orderId).orElseThrow();
                    hub.core.sagaless.turnBack(tx, order, Reason.CANCELLED_BY_OPERATOR);
                    return null;
                })
                .join();

        ended.get(60, TimeUnit.SECONDS);
        assertThat(hub.order(orderId).status()).isEqualTo(OrderStatus.CANCELLED);
        assertThat(hub.order(orderId).reason()).isEqualTo(Reason.CANCELLED_BY_OPERATOR);
        assertThat(types(orderId)).isEqualTo(UNDONE_IN_TIME);
    }

    @ParameterizedTest
    @EnumSource(Style.class)
    void customerGetsOneMessageForEachStateChange(Style style) throws Exception {
        String orderId = newId(style);

        hub.submit(order(orderId, KINDS.get(0)), style).get(60, TimeUnit.SECONDS);

        await().untilAsserted(() -> assertThat(hub.store
                        .read(tx -> hub.subscribers.notifications.ofOrder(tx, orderId))
                        .join())
                .extracting(Notification::type, Notification::customerId)
                .containsExactly(tuple(EventType.OrderCreated, "C-1"), tuple(EventType.OrderShipped, "C-1")));
        await().untilAsserted(() ->
                assertThat(folder.resolve("notifications.jsonl")).content().contains(orderId));
    }

    @ParameterizedTest
    @EnumSource(
            value = Style.class,
            names = {"REQUEST_REPLY", "QUEUE"})
    void whatFollowsTheLastStepNeedsNoEventAndHappensOnceWithThemToo(Style style, @TempDir Path other)
            throws Exception {
        try (CoreHub hub = CoreHub.startWithoutRelay(TestSettings.in(other))) {
            hub.stock("SADDLE-01", 100);
            String orderId = newId(style);

            hub.submit(order(orderId, KINDS.get(0)), style).get(60, TimeUnit.SECONDS);

            await().untilAsserted(() -> hasFollowed(hub, orderId));

            hub.messaging.start();
            await().until(() -> hub.heard.get() >= 2 + 4);
            hasFollowed(hub, orderId);
        }
    }

    private static void hasFollowed(CoreHub hub, String orderId) {
        assertThat(hub.store
                        .read(tx -> hub.subscribers.notifications.ofOrder(tx, orderId))
                        .join())
                .extracting(Notification::type, Notification::customerId)
                .containsExactly(tuple(EventType.OrderCreated, "C-1"), tuple(EventType.OrderShipped, "C-1"));
        Figures figures = hub.subscribers.analytics.figures().join();
        assertThat(figures.byStatus()).isEqualTo(Map.of("SHIPPED", 1L));
        assertThat(figures.amounts())
                .containsExactly(new Figures.Amounts(
                        "EUR", new BigDecimal("100.00"), new BigDecimal("100.00"), BigDecimal.ZERO));
    }

    @ParameterizedTest
    @EnumSource(
            value = Style.class,
            names = {"REQUEST_REPLY", "QUEUE"})
    void whatFailsAfterTheLastStepUndoesNothing(Style style, @TempDir Path other) throws Exception {
        Path routes = Files.createDirectory(other.resolve("routes"));
        String file = style.flow() + ".camel.yaml";
        String text = Files.readString(Path.of("src/main/resources/routes", file));
        String fails = "throwException: {exceptionType: java.io.IOException, message: nobody there}";
        Files.writeString(routes.resolve(file), text.replace("to: direct:notify-customer", fails));
        HubSettings.Saga saga = new HubSettings.Saga(Duration.ofMinutes(1), 10, Duration.ofMillis(100));
        try (CoreHub hub = CoreHub.start(TestSettings.in(other.resolve("data"), routes, saga))) {
            hub.stock("SADDLE-01", 100);
            String orderId = newId(style);

            hub.submit(order(orderId, KINDS.get(0)), style).get(60, TimeUnit.SECONDS);

            await().untilAsserted(() -> hasFollowed(hub, orderId));
            assertThat(hub.order(orderId).status()).isEqualTo(OrderStatus.SHIPPED);
            assertThat(sagaStatus(hub, orderId)).isEqualTo(SagaStatus.COMPLETED);
            assertThat(types(hub, orderId)).isEqualTo(eventsOf(KINDS.get(0)));
        }
    }

    @ParameterizedTest
    @EnumSource(value = Style.class, mode = EnumSource.Mode.EXCLUDE, names = "CHOREOGRAPHY")
    void sagaEndsWithOrder(Style style) throws Exception {
        String shipped = newId(style);
        String refused = newId(style);

        hub.submit(order(shipped, KINDS.get(0)), style).get(60, TimeUnit.SECONDS);
        hub.submit(order(refused, KINDS.get(6)), style).get(60, TimeUnit.SECONDS);

        assertThat(sagaStatus(hub, shipped)).isEqualTo(SagaStatus.COMPLETED);
        assertThat(sagaStatus(hub, refused)).isEqualTo(SagaStatus.COMPENSATED);
    }

    private static SagaStatus sagaStatus(CoreHub hub, String orderId) {
        String sagaId = hub.order(orderId).sagaId();
        return hub.store
                .read(tx -> hub.core.sagas.log().find(tx, sagaId))
                .join()
                .orElseThrow()
                .state()
                .status();
    }
}
