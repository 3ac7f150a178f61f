package io.caravanserai.bus;

import io.caravanserai.event.EventType;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.DefaultEndpoint;

/**
 * Lets flows hear events: {@code from: events:order-events?subscriber=payment&types=ItemsReserved}. Whichever bus the
 * hub has carries them; it is found in the registry when a route starts.
 */
public final class EventsComponent extends DefaultComponent {
    /** The only name there is. */
    public static final String ORDER_EVENTS = "order-events";

    /** Header with the id of the event. Also in {@code causationId}, for what the event leads to. */
    public static final String EVENT_ID = "eventId";
    /** Header with the event's type. */
    public static final String EVENT_TYPE = "eventType";
    /** Header with the time of the event, RFC 3339. */
    public static final String EVENT_TIME = "eventTime";

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
        String types = getAndRemoveParameter(parameters, "types", String.class, "");
        return new EventsEndpoint(uri, this, subscriber, types(types));
    }

    private static Set<String> types(String list) {
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
        return types;
    }

    private static final class EventsEndpoint extends DefaultEndpoint {
        private final String subscriber;
        private final Set<String> types;

        EventsEndpoint(String uri, EventsComponent component, String subscriber, Set<String> types) {
            super(uri, component);
            this.subscriber = subscriber;
            this.types = types;
        }

        @Override
        public Consumer createConsumer(Processor processor) throws Exception {
            EventsConsumer consumer = new EventsConsumer(this, processor, subscriber, types);
            configureConsumer(consumer);
            return consumer;
        }

        @Override
        public Producer createProducer() {
            throw new UnsupportedOperationException("events are told by the services that cause them, not by flows");
        }

        @Override
        public boolean isLenientProperties() {
            return false;
        }
    }
}
