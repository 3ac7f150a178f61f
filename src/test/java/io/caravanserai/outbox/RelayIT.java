package io.caravanserai.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.app.FreePort;
import io.caravanserai.broker.EmbeddedArtemis;
import io.caravanserai.broker.JmsBroker;
import io.caravanserai.bus.EventBusContract;
import io.caravanserai.bus.EventBusListener;
import io.caravanserai.bus.HubName;
import io.caravanserai.bus.Retry;
import io.caravanserai.config.HubSettings;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventCodec;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventSchemas;
import io.caravanserai.jms.JmsDeadLetters;
import io.caravanserai.jms.JmsEventBus;
import io.caravanserai.order.Reason;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.support.Ids;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RelayIT {
    private final ConcurrentLinkedQueue<CloudEvent> published = new ConcurrentLinkedQueue<>();
    private final AtomicReference<Relay> relay = new AtomicReference<>();
    private final EventCodec codec = new EventCodec(new EventSchemas(), Map.of());

    @TempDir
    private Path folder;

    private Store store;
    private DeadLetters letters;
    private Outbox outbox;

    @BeforeEach
    void open() {
        store = SqliteStore.open(folder);
        letters = new DeadLetters(store, new Ids(), Clock.systemUTC());
        outbox = new Outbox(new Ids(), Clock.systemUTC(), List.of(), event -> {
            if (relay.get() != null) {
                relay.get().wake();
            }
        });
    }

    @AfterEach
    void close() {
        if (relay.get() != null) {
            relay.get().close();
        }
        store.close();
    }

    @Test
    void eventsAreSentInTheOrderOfTheLogAndMarked() {
        relayTo(this::publish);

        List<CompletableFuture<?>> written = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            written.add(append("order-" + i % 50));
        }
        CompletableFuture.allOf(written.toArray(CompletableFuture[]::new)).join();

        await().untilAsserted(() -> assertThat(published).hasSize(2_000));
        assertThat(published.stream().map(CloudEvent::id)).isSorted();
        await().untilAsserted(() -> assertThat(relay.get().owed().join()).isZero());
    }

    @Test
    void pendingEventsOfDeadHubAreSentFirst() {
        append("order-a").join();
        append("order-a").join();
        append("order-b").join();

        relayTo(this::publish);
        append("order-a").join();

        await().untilAsserted(() -> assertThat(published).hasSize(4));
        assertThat(published.stream().map(CloudEvent::id)).isSorted();
    }

    @Test
    void failedPublishIsRetriedWithSameEventsFirst() {
        AtomicReference<Boolean> away = new AtomicReference<>(true);
        relayTo(events -> away.get()
                ? CompletableFuture.failedFuture(new IllegalStateException("gone fishing"))
                : publish(events));
        for (int i = 0; i < 10; i++) {
            append("order-a").join();
        }
        await().untilAsserted(() ->
                assertThat(relay.get().unavailableReason().orElse("")).contains("gone fishing"));

        away.set(false);

        await().untilAsserted(() -> assertThat(published).hasSize(10));
        assertThat(published.stream().map(CloudEvent::id)).isSorted();
        await().untilAsserted(() -> assertThat(relay.get().unavailableReason()).isEmpty());
    }

    @Test
    void eventThatViolatesSchemaBlocksNoOtherEvent() {
        relayTo(this::publish);

        append("an order id that no schema allows").join();
        append("order-a").join();

        await().untilAsserted(() -> assertThat(published).hasSize(1));
        assertThat(letters.list(DeadLetters.Filter.ALL, null, 10).join())
                .singleElement()
                .satisfies(letter -> assertThat(letter.reason()).isEqualTo("invalid-event"));
    }

    @Test
    void brokerRestartLosesNoEvent() {
        int port = FreePort.take();
        EmbeddedArtemis outside = EmbeddedArtemis.start(folder.resolve("broker"), port, List.of());
        JmsBroker broker = JmsBroker.start(
                new HubSettings.Jms(Optional.of("tcp://127.0.0.1:" + port), 0), folder.resolve("none"), List.of());
        JmsDeadLetters jmsLetters = new JmsDeadLetters(letters, broker);
        ConcurrentLinkedQueue<CloudEvent> heard = new ConcurrentLinkedQueue<>();
        try (JmsEventBus bus = new JmsEventBus(
                broker,
                HubName.DEFAULT,
                codec,
                Retry.USUAL,
                jmsLetters,
                new EventBusListener() {},
                EventBusContract.ALL_RECORDED)) {
            bus.subscribe("test", event -> {
                heard.add(event);
                return CompletableFuture.completedFuture(null);
            });
            relayTo(bus::publish);
            List<String> appended = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                appended.add(append("order-" + i % 7).join());
            }
            outside.close();
            await().untilAsserted(() -> assertThat(bus.unavailableReason()).isPresent());
            for (int i = 0; i < 300; i++) {
                appended.add(append("order-" + i % 7).join());
            }

            outside = EmbeddedArtemis.start(folder.resolve("broker"), port, List.of());

            await().untilAsserted(() -> assertThat(
                            heard.stream().map(CloudEvent::id).distinct().toList())
                    .containsExactlyInAnyOrderElementsOf(appended));
            for (int i = 0; i < 7; i++) {
                String order = "order-" + i;
                assertThat(heard.stream()
                                .filter(event -> event.orderId().equals(order))
                                .map(CloudEvent::id)
                                .distinct())
                        .isSorted();
            }
            await().untilAsserted(() -> assertThat(bus.unavailableReason()).isEmpty());
            relay.getAndSet(null).close();
        } finally {
            jmsLetters.close();
            broker.close();
            outside.close();
        }
    }

    private void relayTo(java.util.function.Function<List<CloudEvent>, CompletableFuture<Void>> publisher) {
        relay.set(new Relay(
                        Destination.BUS,
                        store,
                        codec,
                        publisher,
                        letters,
                        new RecordedEvents(store, Clock.systemUTC()),
                        Clock.systemUTC())
                .start());
    }

    private CompletableFuture<Void> publish(List<CloudEvent> events) {
        published.addAll(events);
        return CompletableFuture.completedFuture(null);
    }

    private CompletableFuture<String> append(String orderId) {
        return store.write(
                "test",
                orderId,
                tx -> outbox.append(tx, orderId, new EventData.OrderCancelled(Reason.TIMED_OUT), 1, EventContext.NONE)
                        .id());
    }
}
