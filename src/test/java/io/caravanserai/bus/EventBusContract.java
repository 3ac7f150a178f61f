package io.caravanserai.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventJson;
import io.caravanserai.event.EventType;
import io.caravanserai.event.EventVersions;
import io.caravanserai.order.Reason;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The contract of every bus implementation. */
public abstract class EventBusContract {
    /** A new subscriber for each test, because a broker keeps events for disconnected subscribers. */
    private final String subscriber = "test-" + UUID.randomUUID();

    /** For events that no store has recorded. */
    public static final EventVerifier ALL_RECORDED = event -> CompletableFuture.completedFuture(Optional.of(event));

    private static final Retry QUICK = new Retry(3, Duration.ofMillis(20), Duration.ofMillis(50));

    /** Opens a bus as in a separate hub; all buses share one broker. The test closes the bus. */
    protected abstract EventBus open(Retry retry);

    /** Returns the dead letters of all opened buses. */
    protected abstract DeadLetters deadLetters();

    /** Sends any message to the address of events. */
    protected abstract void sendRaw(Map<String, String> attributes, String data) throws Exception;

    @Test
    void everySubscriberReceivesEventsOfOneOrderInSequence() {
        try (EventBus bus = open(QUICK)) {
            Heard one = new Heard();
            Heard other = new Heard();
            bus.subscribe(subscriber, one);
            bus.subscribe(subscriber + "-other", other);

            for (int step = 0; step < 50; step++) {
                publish(bus, event("order-a", step), event("order-b", step), event("order-c", step));
            }

            for (Heard each : List.of(one, other)) {
                await().untilAsserted(() -> assertThat(each.ids()).hasSize(150));
                assertThat(each.steps("order-a")).isSorted();
                assertThat(each.steps("order-b")).isSorted();
                assertThat(each.steps("order-c")).isSorted();
            }
        }
    }

    @Test
    void eventsAreKeptForDisconnectedSubscriber() {
        Heard heard = new Heard();
        try (EventBus bus = open(QUICK)) {
            bus.subscribe(subscriber, heard).close();
            publish(bus, event("order-a", 1), event("order-a", 2));
        }
        try (EventBus bus = open(QUICK)) {
            bus.subscribe(subscriber, heard);
            await().untilAsserted(() -> assertThat(heard.steps("order-a")).containsExactly(1, 2));
        }
    }

    @Test
    void subscriberMayChangeWantedEvents() {
        Heard heard = new Heard();
        try (EventBus bus = open(QUICK)) {
            bus.subscribe(subscriber, new EventFilter(Optional.empty(), Set.of(EventType.OrderShipped)), heard)
                    .close();
            bus.subscribe(subscriber, new EventFilter(Optional.empty(), Set.of(EventType.PaymentFailed)), heard);

            publish(bus, event("order-a", 1));

            await().untilAsserted(() -> assertThat(heard.steps("order-a")).containsExactly(1));
        }
    }

    @Test
    void subscriberReceivesFormerlyWantedEventsAgain() {
        EventFilter failures = new EventFilter(Optional.empty(), Set.of(EventType.PaymentFailed));
        EventFilter others = new EventFilter(Optional.empty(), Set.of(EventType.OrderShipped));
        Heard heard = new Heard();
        try (EventBus bus = open(QUICK)) {
            for (int round = 1; round <= 3; round++) {
                EventBus.Subscription subscription = bus.subscribe(subscriber, failures, heard);

                publish(bus, event("order-a", round));

                int last = round;
                await().untilAsserted(() ->
                        assertThat(heard.steps("order-a")).hasSize(last).endsWith(last));
                subscription.close();
                bus.subscribe(subscriber, others, heard).close();
            }
        }
    }

    @Test
    void unhandledEventIsRedelivered() {
        AtomicInteger begun = new AtomicInteger();
        try (EventBus bus = open(QUICK)) {
            bus.subscribe(subscriber, event -> {
                begun.incrementAndGet();
                return new CompletableFuture<>();
            });
            publish(bus, event("order-a", 1));
            await().until(() -> begun.get() == 1);
        }
        Heard heard = new Heard();
        try (EventBus bus = open(QUICK)) {
            bus.subscribe(subscriber, heard);
            await().untilAsserted(() -> assertThat(heard.steps("order-a")).containsExactly(1));
        }
    }

    /** Each subscription waits some seconds for deliveries in flight. */
    @Test
    void subscriptionsEndConcurrently() {
        AtomicInteger begun = new AtomicInteger();
        try (EventBus bus = open(QUICK)) {
            for (int i = 0; i < 4; i++) {
                bus.subscribe(subscriber + i, event -> {
                    begun.incrementAndGet();
                    return new CompletableFuture<>();
                });
            }
            publish(bus, event("order-a", 1));
            await().until(() -> begun.get() == 4);

            assertTimeout(Duration.ofSeconds(9), bus::unsubscribeAll);
        }
    }

    @Test
    void failedEventIsRetriedBeforeLaterEventsOfSameOrder() {
        Heard heard = new Heard();
        AtomicInteger failures = new AtomicInteger();
        try (EventBus bus = open(QUICK)) {
            bus.subscribe(subscriber, event -> {
                if (stepOf(event) == 1 && failures.incrementAndGet() < 3) {
                    return CompletableFuture.failedFuture(new IllegalStateException("not yet"));
                }
                return heard.handle(event);
            });

            publish(bus, event("order-a", 1), event("order-a", 2));

            await().untilAsserted(() -> assertThat(heard.steps("order-a")).containsExactly(1, 2));
            assertThat(failures).hasValue(3);
        }
    }

    @Test
    void slowOrderDoesNotBlockOtherOrders() {
        Heard heard = new Heard();
        CompletableFuture<Void> slow = new CompletableFuture<>();
        try (EventBus bus = open(QUICK)) {
            bus.subscribe(
                    subscriber,
                    event -> event.orderId().equals("order-slow")
                            ? slow.thenCompose(nothing -> heard.handle(event))
                            : heard.handle(event));

            publish(bus, event("order-slow", 1), event("order-slow", 2), event("order-a", 1), event("order-b", 1));

            await().untilAsserted(() -> assertThat(heard.ids()).hasSize(2));
            slow.complete(null);
            await().untilAsserted(() -> assertThat(heard.steps("order-slow")).containsExactly(1, 2));
        }
    }

    @Test
    void unhandleableEventBecomesDeadLetterAndOrderContinues() {
        Heard heard = new Heard();
        AtomicBoolean broken = new AtomicBoolean(true);
        try (EventBus bus = open(QUICK)) {
            bus.subscribe(
                    subscriber,
                    event -> stepOf(event) == 1 && broken.get()
                            ? CompletableFuture.failedFuture(new IllegalStateException("out of paper"))
                            : heard.handle(event));

            CloudEvent hopeless = event("order-a", 1);
            publish(bus, hopeless, event("order-a", 2));

            await().untilAsserted(() -> assertThat(heard.steps("order-a")).containsExactly(2));
            DeadLetter letter = onlyLetter();
            assertThat(letter.source()).isEqualTo("order-events");
            assertThat(letter.reason()).isEqualTo("handler-failed");
            assertThat(letter.error()).contains("out of paper");
            assertThat(letter.type()).contains(hopeless.type().name());
            assertThat(letter.body()).isEqualTo(hopeless.data());
            assertThat(letter.headers()).containsValue(hopeless.id());

            assertThat(deadLetters().replay(letter.id()).join()).contains(false);
            broken.set(false);
            assertThat(deadLetters().replay(letter.id()).join()).contains(true);
            assertThat(heard.ids()).contains(hopeless.id());
            assertThat(deadLetters().get(letter.id()).join().orElseThrow().replays())
                    .isEqualTo(2);
        }
    }

    @Test
    void messageWithoutEventBecomesDeadLetterWithReason() throws Exception {
        Heard heard = new Heard();
        try (EventBus bus = open(QUICK)) {
            bus.subscribe(subscriber, heard);
            CloudEvent event = event("order-a", 1);
            Map<String, String> unknown = new HashMap<>(event.attributes());
            unknown.put("dataschema", "/schemas/" + event.type() + "/v99");

            sendRaw(unknown, event.data());
            publish(bus, event("order-a", 2));

            await().untilAsserted(() -> assertThat(heard.steps("order-a")).containsExactly(2));
            assertThat(onlyLetter().reason()).isEqualTo("unknown-version");
            assertThat(onlyLetter().error()).contains("/v99");
        }
    }

    @Test
    void anEventInTwoVersionsIsHandledOnceInTheNewest() {
        Heard heard = new Heard();
        try (EventBus bus = open(QUICK)) {
            bus.subscribe(subscriber, heard);
            CloudEvent newest = payment("order-a");
            CloudEvent old = new CloudEvent(
                    newest.id(),
                    newest.type(),
                    1,
                    newest.orderId(),
                    newest.time(),
                    newest.context(),
                    newest.data().replace("100.50", "\"100.50\""));

            publish(bus, old, newest, event("order-a", 2));

            await().untilAsserted(() -> assertThat(heard.events).hasSize(2));
            assertThat(heard.events.peek()).isEqualTo(newest);
        }
    }

    @Test
    void hubsWithSameNameShareSubscription() {
        Heard heard = new Heard();
        try (EventBus one = open(QUICK);
                EventBus other = open(QUICK)) {
            one.subscribe(subscriber, heard);
            other.subscribe(subscriber, heard);

            List<CloudEvent> events = new ArrayList<>();
            for (int step = 0; step < 20; step++) {
                for (int order = 0; order < 20; order++) {
                    events.add(event("order-" + order, step));
                }
            }
            publish(one, events.toArray(CloudEvent[]::new));

            await().untilAsserted(() -> assertThat(heard.ids()).hasSize(400));
            assertThat(heard.events).hasSize(400);
            for (int order = 0; order < 20; order++) {
                assertThat(heard.steps("order-" + order)).isSorted();
            }
        }
    }

    private DeadLetter onlyLetter() {
        List<DeadLetter> letters = await().until(
                        () -> deadLetters().list(DeadLetters.Filter.ALL, null, 200).join().stream()
                                .filter(each -> each.channel().equals(Delivery.channel(subscriber)))
                                .toList(),
                        found -> !found.isEmpty());
        assertThat(letters).hasSize(1);
        return letters.get(0);
    }

    private static void publish(EventBus bus, CloudEvent... events) {
        bus.publish(List.of(events)).join();
    }

    /** An event with the step number of the test order in the trace. */
    protected static CloudEvent event(String orderId, int step) {
        EventData data = new EventData.Failed(EventType.PaymentFailed, Reason.PAYMENT_DECLINED);
        return new CloudEvent(
                UUID.randomUUID().toString(),
                data.type(),
                EventVersions.newest(data.type()),
                orderId,
                Instant.parse("2026-01-02T03:04:05.006Z"),
                new EventContext("saga-1", "step-" + step, null),
                EventJson.write(orderId, data).toString());
    }

    private static CloudEvent payment(String orderId) {
        EventData data = new EventData.PaymentProcessed(new BigDecimal("100.50"), "EUR", "pay-1");
        return new CloudEvent(
                UUID.randomUUID().toString(),
                data.type(),
                EventVersions.newest(data.type()),
                orderId,
                Instant.parse("2026-01-02T03:04:05.006Z"),
                new EventContext(null, "step-1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                EventJson.write(orderId, data).toString());
    }

    private static int stepOf(CloudEvent event) {
        return Integer.parseInt(event.context().causationId().substring("step-".length()));
    }

    private static final class Heard implements EventHandler {
        private final Queue<CloudEvent> events = new ConcurrentLinkedQueue<>();
        private final Map<String, AtomicInteger> atOnce = new ConcurrentHashMap<>();

        @Override
        public CompletableFuture<Void> handle(CloudEvent event) {
            AtomicInteger inHand = atOnce.computeIfAbsent(event.orderId(), order -> new AtomicInteger());
            if (inHand.incrementAndGet() != 1) {
                throw new AssertionError("two events of " + event.orderId() + " at once");
            }
            return CompletableFuture.runAsync(() -> {
                inHand.decrementAndGet();
                events.add(event);
            });
        }

        List<String> ids() {
            return events.stream().map(CloudEvent::id).distinct().collect(Collectors.toList());
        }

        List<Integer> steps(String orderId) {
            return events.stream()
                    .filter(event -> event.orderId().equals(orderId))
                    .map(EventBusContract::stepOf)
                    .distinct()
                    .toList();
        }
    }
}
