package io.caravanserai.broker;

import java.util.Set;
import java.util.regex.Pattern;

/** Addresses at the JMS broker that are the hub's own, or the broker's: nobody else takes from there or answers to there. */
public final class HubAddresses {
    private static final Set<String> OWN = Set.of("orders", "signals", "order-events", "DLQ");

    /** Queues between the routes of one version of a flow, such as {@code order-queue.reserve-items@7}. */
    private static final Pattern OF_A_FLOW = Pattern.compile(".*@[0-9]+");

    private HubAddresses() {}

    /** @param address with or without the name of a queue behind it ({@code order-events::hub-analytics}) */
    public static boolean contains(String address) {
        String plain = address.contains("::") ? address.substring(0, address.indexOf("::")) : address;
        return OWN.contains(plain) || plain.startsWith("activemq.") || plain.startsWith("hub-") || isOfAFlow(plain);
    }

    /** Whether a name is one of the queues between the routes of a version of a flow. */
    static boolean isOfAFlow(String name) {
        return OF_A_FLOW.matcher(name).matches();
    }
}
