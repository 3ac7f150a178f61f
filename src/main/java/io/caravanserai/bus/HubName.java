package io.caravanserai.bus;

import java.util.Map;
import java.util.Optional;

/**
 * The name of a hub ({@code hub.name}) on a broker that several hubs with separate stores share. The name is the prefix
 * of subscriptions, consumer groups and queues between the routes of a flow, and an attribute of each event.
 */
public record HubName(String value) {
    /** The default name. Events of a hub with this name have no {@code hub} attribute. */
    public static final HubName DEFAULT = new HubName("hub");

    /** CloudEvents extension attribute: the name of the publishing hub. */
    private static final String ATTRIBUTE = "hub";

    /** The subscription name or consumer group for a subscriber of this hub. */
    public String subscription(String subscriber) {
        return value + '-' + subscriber;
    }

    /** The full name of a queue that only the routes of this hub use. */
    public String ownQueue(String queue) {
        return equals(DEFAULT) ? queue : value + '-' + queue;
    }

    /** Additional attributes for the events of this hub; empty for the default name. */
    public Map<String, String> attributes() {
        return equals(DEFAULT) ? Map.of() : Map.of(ATTRIBUTE, value);
    }

    /**
     * A message for operators: two hubs with separate stores have the same name.
     *
     * @param where the shared system, for example {@code JMS broker}
     */
    public String conflict(String where) {
        return "another hub with a separate store is named '" + value + "' on this " + where
                + " and takes messages of this hub; set a different hub.name on each hub";
    }

    /** Whether a hub with another name, and therefore with other orders, has published the event. */
    public boolean isOther(Map<String, String> attributes) {
        return !value.equals(Optional.ofNullable(attributes.get(ATTRIBUTE)).orElse(DEFAULT.value()));
    }
}
