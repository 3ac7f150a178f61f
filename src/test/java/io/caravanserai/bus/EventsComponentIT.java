package io.caravanserai.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravanserai.event.CloudEvent;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.CamelContext;
import org.apache.camel.ResolveEndpointFailedException;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EventsComponentIT {
    private static final String FLOW = """
            - route:
                id: heard
                from:
                  uri: events:order-events
                  parameters:
                    subscriber: payment
                    types: PaymentFailed
                  steps:
                    - process:
                        ref: hearing
            """;

    /** Delivers and retries at once: the test is about the route. */
    private final AtomicReference<EventHandler> subscribed = new AtomicReference<>();

    private volatile boolean refusing;

    private final EventBus bus = new EventBus() {
        @Override
        public CompletableFuture<Void> publish(List<CloudEvent> events) {
            return subscribed.get().handle(events.get(0));
        }

        @Override
        public Subscription subscribe(String subscriber, EventHandler handler) {
            assertThat(subscriber).isEqualTo("payment");
            if (refusing) {
                refusing = false;
                throw new IllegalStateException("no subscription today");
            }
            subscribed.set(handler);
            return () -> subscribed.set(null);
        }

        @Override
        public Optional<String> unavailableReason() {
            return Optional.empty();
        }

        @Override
        public void unsubscribeAll() {
            subscribed.set(null);
        }

        @Override
        public void close() {}
    };

    private final CamelContext context = new DefaultCamelContext();
    private final Queue<Map<String, Object>> heard = new ConcurrentLinkedQueue<>();
    private final AtomicInteger failures = new AtomicInteger();

    @BeforeEach
    void start() throws Exception {
        context.getRegistry().bind("bus", bus);
        context.getRegistry().bind("hearing", (org.apache.camel.Processor) exchange -> {
            if (failures.getAndDecrement() > 0) {
                throw new IllegalStateException("not now");
            }
            heard.add(Map.copyOf(exchange.getMessage().getHeaders()));
        });
        context.start();
        Resource flow = ResourceHelper.fromString("flow.camel.yaml", FLOW);
        PluginHelper.getRoutesLoader(context).loadRoutes(flow);
    }

    @AfterEach
    void stop() {
        context.stop();
        assertThat(subscribed).hasValue(null);
    }

    @Test
    void routeReceivesEventWithOrderSagaAndTraceHeaders() {
        CloudEvent event = EventBusContract.event("order-a", 7);

        bus.publish(List.of(event)).join();

        await().untilAsserted(() -> assertThat(heard).hasSize(1));
        assertThat(heard.peek())
                .containsEntry("orderId", "order-a")
                .containsEntry("eventType", "PaymentFailed")
                .containsEntry("eventId", event.id())
                .containsEntry("causationId", event.id())
                .containsEntry("Long-Running-Action", "saga-1");
        assertThat(subscribed.get().wants("PaymentFailed")).isTrue();
        assertThat(subscribed.get().wants("OrderShipped")).isFalse();
    }

    @Test
    void refusedNewVersionLeavesOldVersionSubscribed() throws Exception {
        String newer = FLOW.replace("id: heard", "id: heard@2").replace("PaymentFailed", "OrderShipped");
        refusing = true;

        assertThatThrownBy(() -> PluginHelper.getRoutesLoader(context)
                        .loadRoutes(ResourceHelper.fromString("newer.camel.yaml", newer)))
                .hasStackTraceContaining("no subscription today");
        context.removeRoute("heard@2");

        bus.publish(List.of(EventBusContract.event("order-a", 7))).join();
        assertThat(heard).hasSize(1);
    }

    @Test
    void failedRouteFailsTheEvent() {
        failures.set(1);
        assertThat(bus.publish(List.of(EventBusContract.event("order-a", 7))))
                .failsWithin(java.time.Duration.ofSeconds(60));
    }

    @Test
    void versionsOfAFlowShareASubscriber() throws Exception {
        for (String id : List.of("heard@7", "heard@flow.8", "heard@flow.2.9")) {
            Resource version = ResourceHelper.fromString("flow.camel.yaml", FLOW.replace("id: heard", "id: " + id));
            PluginHelper.getRoutesLoader(context).loadRoutes(version);
        }

        bus.publish(List.of(EventBusContract.event("order-a", 7))).join();

        assertThat(heard).hasSize(1);
    }

    @Test
    void endpointNameIsOptional() throws Exception {
        String nameless = FLOW.replace("id: heard", "id: heard@2").replace("events:order-events", "events");

        PluginHelper.getRoutesLoader(context).loadRoutes(ResourceHelper.fromString("flow.camel.yaml", nameless));

        assertThat(context.getRoute("heard@2").getEndpoint())
                .isSameAs(context.getRoute("heard").getEndpoint());
    }

    @Test
    void missingOrUnknownOptionIsReported() {
        assertRefused("events:order-events", "needs a subscriber");
        assertRefused("events:order-evens?subscriber=a", "no events named 'order-evens'");
        assertRefused("events:order-events?subscriber=a&types=Payed", "no event type 'Payed'");
        assertRefused("events:order-events?subscriber=a&kind=b", "kind");
    }

    private void assertRefused(String uri, String message) {
        assertThatThrownBy(() -> context.getEndpoint(uri))
                .isInstanceOf(ResolveEndpointFailedException.class)
                .hasStackTraceContaining(message);
    }
}
