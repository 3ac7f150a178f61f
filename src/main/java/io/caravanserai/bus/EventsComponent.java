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
 * Lets flows hear events: {@code from: events:order-events?subscriber=payment&style=pubsub&types=ItemsReserved}. Whichever bus the
 * hub has carries them; it is found in the registry when a route starts.
 */
public final class EventsComponent extends DefaultComponent {
    /** The only name there is. */
    public static final String ORDER_EVENTS = "order-events";

    /** Header with the id of the event. Also in {@code causationId}, for what the event leads to. */
    public static final String EVENT_ID = "eventId";
    /** Header with the event's type. */
    public static final String EVENT_TYPE = "eventType";
    /** Header with how far an order had come, of events that tell it. */
    public static final String ORDER_STATUS = "orderStatus";
    /** Header that is always true: an event may come twice, and who counts its effects must mind that. */
    public static final String MAYBE_AGAIN = "CaravanseraiMaybeAgain";
    /** Header with the time of the event, RFC 3339. */
    public static final String EVENT_TIME = "eventTime";

    private final SubscriptionRegistry listeners = new SubscriptionRegistry(this::bus);

    /** Whether flows undo something when they hear of it. */
    static boolean isToReactTo(EventType type) {
        return type.kind() == EventType.Kind.FAILURE
                || type.kind() == EventType.Kind.COMPENSATION && type != EventType.OrderCancelled;
    }

    /** The events of an order after which something may be undone. */
    public static Set<EventType> toReactTo() {
        return Arrays.stream(EventType.values())
                .filter(EventsComponent::isToReactTo)
                .collect(Collectors.toSet());
    }

    /**
     * The subscribers in flows of a style that hear an event: those that listened when it was recorded.
     *
     * @param at when the event was recorded
     * @param settled when the flows of the last start listened; who did then has listened since before that start
     */
    public Set<String> reacting(OrderStyle style, EventType type, Instant at, Instant settled) {
        return listeners.reacting(style, type, at, settled);
    }

    /** Whether any flow of a style listens at all. */
    public boolean isListening(OrderStyle style) {
        return listeners.isListening(style);
    }

    /** Has a subscriber handle an event once more; fails when the subscriber fails, or is not there. */
    public CompletableFuture<Void> again(String subscriber, CloudEvent event) {
        return listeners.again(subscriber, event);
    }

    private EventBus bus() {
        EventBus bus = getCamelContext().getRegistry().findSingleByType(EventBus.class);
        if (bus == null) {
            throw new IllegalStateException("there is no event bus in this Camel context");
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
            throw new IllegalArgumentException("events:order-events needs a subscriber: a lasting name of letters,"
                    + " digits, dots and dashes, under which events are kept while nobody listens");
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
                .orElseThrow(() -> new IllegalArgumentException("style: there can be no style '" + name
                        + "'; there are " + Style.names() + " and each flow order-STYLE.camel.yaml")));
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
            EventsConsumer consumer = new EventsConsumer(this, processor, listeners, subscriber, filter);
            configureConsumer(consumer);
            return consumer;
        }

        @Override
        public Producer createProducer() {
            throw new UnsupportedOperationException("events are told by the services that cause them, not by flows");
        }

        /** Versions of a flow run side by side; two routes of one version are refused when they start. */
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
