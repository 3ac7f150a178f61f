package io.caravanserai.broker;

import java.util.Set;

/** Addresses at the JMS broker that are the hub's own, or the broker's: nobody else takes from there or answers to there. */
public final class HubAddresses {
    private static final Set<String> OWN = Set.of("orders", "signals", "order-events", "DLQ");

    private HubAddresses() {}

    /** @param address with or without the name of a queue behind it ({@code order-events::hub-analytics}) */
    public static boolean contains(String address) {
        String plain = address.contains("::") ? address.substring(0, address.indexOf("::")) : address;
        return OWN.contains(plain) || plain.startsWith("activemq.") || plain.startsWith("hub-") || isOfAFlow(plain);
    }

    /** Queues between the routes of one version of a flow, such as {@code order-queue.reserve-items@7}. */
    static boolean isOfAFlow(String address) {
        String version = address.substring(address.lastIndexOf('@') + 1);
        return version.length() < address.length()
                && !version.isEmpty()
                && version.chars().allMatch(each -> each >= '0' && each <= '9');
    }
}
