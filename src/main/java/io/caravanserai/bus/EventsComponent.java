package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventType;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.order.Style;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.MultipleConsumersSupport;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.DefaultEndpoint;

/**
 * Camel component for flows that consume events:
 * {@code from: events:order-events?subscriber=payment&style=pubsub&types=ItemsReserved}. The event bus of the hub is
 * looked up in the registry when a route starts.
 */
public final class EventsComponent extends DefaultComponent {
    /** The only supported endpoint name. */
    public static final String ORDER_EVENTS = "order-events";

    /**
     * Header with the event id. The header {@code causationId} has the same value, for the events that the flow causes.
     */
    public static final String EVENT_ID = "eventId";
    /** Header with the event type. */
    public static final String EVENT_TYPE = "eventType";
    /** Header with the order status, present when the event data has a status. */
    public static final String ORDER_STATUS = "orderStatus";
    /**
     * Header that is always true: an event may be delivered twice, so a consumer that counts effects must deduplicate.
     */
    public static final String MAYBE_AGAIN = "CaravanseraiMaybeAgain";
    /** Header with the event time, RFC 3339. */
    public static final String EVENT_TIME = "eventTime";

    private final SubscriptionRegistry subscriptions = new SubscriptionRegistry(this::bus);

    /** Whether flows compensate in reaction to events of this type. */
    static boolean isToReactTo(EventType type) {
        return type.kind() == EventType.Kind.FAILURE
                || type.kind() == EventType.Kind.COMPENSATION && type != EventType.OrderCancelled;
    }

    /** The event types that may cause a compensation. */
    public static Set<EventType> toReactTo() {
        return Arrays.stream(EventType.values())
                .filter(EventsComponent::isToReactTo)
                .collect(Collectors.toSet());
    }

    /**
     * The subscribers of the flows of a style that receive an event: the subscriptions that were active when the event
     * was recorded.
     *
     * @param at when the event was recorded
     * @param settled when the flows of the last start were subscribed; a subscription older than this counts as active
     *     since before that start
     */
    public Set<String> reacting(OrderStyle style, EventType type, Instant at, Instant settled) {
        return subscriptions.reacting(style, type, at, settled);
    }

    /** Whether any flow of a style has an active subscription. */
    public boolean isListening(OrderStyle style) {
        return subscriptions.isListening(style);
    }

    /** Redelivers an event to a subscriber. Fails when the subscriber fails or is not subscribed. */
    public CompletableFuture<Void> again(String subscriber, CloudEvent event) {
        return subscriptions.again(subscriber, event);
    }

    private EventBus bus() {
        EventBus bus = getCamelContext().getRegistry().findSingleByType(EventBus.class);
        if (bus == null) {
            throw new IllegalStateException("no EventBus in the registry of this Camel context");
        }
        return bus;
    }

    @Override
    protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters) {
        if (!ORDER_EVENTS.equals(remaining)) {
            throw new IllegalArgumentException(
                    "there are no events named '" + remaining + "'; use events:order-events");
        }
        String subscriber = getAndRemoveParameter(parameters, "subscriber", String.class);
        if (subscriber == null || !subscriber.matches("[A-Za-z0-9.-]{1,100}")) {
            throw new IllegalArgumentException("events:order-events needs a subscriber: a stable name of letters,"
                    + " digits, dots and dashes, at most 100 characters; the broker keeps events under this name");
        }
        String style = getAndRemoveParameter(parameters, "style", String.class);
        String types = getAndRemoveParameter(parameters, "types", String.class, "");
        return new EventsEndpoint(uri, this, subscriber, new EventFilter(style(style), types(types)));
    }

    private static Optional<OrderStyle> style(String name) {
        if (name == null) {
            return Optional.empty();
        }
        return Optional.of(OrderStyle.of(name)
                .orElseThrow(() -> new IllegalArgumentException("style: unknown style '" + name + "'; known are "
                        + Style.names() + " and each flow order-STYLE.camel.yaml")));
    }

    private static Set<EventType> types(String list) {
        Set<String> known =
                Arrays.stream(EventType.values()).map(EventType::name).collect(Collectors.toSet());
        Set<String> types = Arrays.stream(list.split(","))
                .map(String::trim)
                .filter(type -> !type.isEmpty())
                .collect(Collectors.toSet());
        types.forEach(type -> {
            if (!known.contains(type)) {
                throw new IllegalArgumentException("types: there is no event type '" + type + "'; there are "
                        + known.stream().sorted().collect(Collectors.joining(", ")));
            }
        });
        return types.stream().map(EventType::valueOf).collect(Collectors.toSet());
    }

    private final class EventsEndpoint extends DefaultEndpoint implements MultipleConsumersSupport {
        private final String subscriber;
        private final EventFilter filter;

        EventsEndpoint(String uri, EventsComponent component, String subscriber, EventFilter filter) {
            super(uri, component);
            this.subscriber = subscriber;
            this.filter = filter;
        }

        @Override
        public Consumer createConsumer(Processor processor) throws Exception {
            EventsConsumer consumer = new EventsConsumer(this, processor, subscriptions, subscriber, filter);
            configureConsumer(consumer);
            return consumer;
        }

        @Override
        public Producer createProducer() {
            throw new UnsupportedOperationException("flows cannot publish events: the services publish the events");
        }

        /**
         * Several versions of a flow run in parallel. Two routes of the same version under one subscriber are refused
         * at start.
         */
        @Override
        public boolean isMultipleConsumersSupported() {
            return true;
        }

        @Override
        public boolean isLenientProperties() {
            return false;
        }
    }
}
