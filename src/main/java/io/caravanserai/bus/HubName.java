package io.caravanserai.bus;

import java.util.Map;
import java.util.Optional;

/**
 * The name of a hub among those that share a broker, each with a store of its own ({@code hub.name}). Subscriptions,
 * consumer groups and the queues between the routes of a flow begin with it, and events say whose they are.
 */
public record HubName(String value) {
    /** The name when nobody sets one. Events of this hub say nothing. */
    public static final HubName DEFAULT = new HubName("hub");

    /** CloudEvents extension with the name of the hub that an event comes from. */
    private static final String ATTRIBUTE = "hub";

    /** The subscription, or the consumer group, of a subscriber of this hub. */
    public String subscription(String subscriber) {
        return value + '-' + subscriber;
    }

    /** A queue of this hub that only its own routes use. */
    public String ownQueue(String queue) {
        return equals(DEFAULT) ? queue : value + '-' + queue;
    }

    /** What this hub's events carry beside their own attributes. */
    public Map<String, String> attributes() {
        return equals(DEFAULT) ? Map.of() : Map.of(ATTRIBUTE, value);
    }

    /**
     * What is wrong when two hubs with stores of their own share a name, for a person.
     *
     * @param where what they share, such as {@code JMS broker}
     */
    public String conflict(String where) {
        return "another hub with a store of its own is named '" + value + "' on this " + where
                + ", and takes messages of this one: give each a hub.name of its own";
    }

    /** Whether an event comes from a hub of another name, which has orders of its own. */
    public boolean isOther(Map<String, String> attributes) {
        return !value.equals(Optional.ofNullable(attributes.get(ATTRIBUTE)).orElse(DEFAULT.value()));
    }
}
