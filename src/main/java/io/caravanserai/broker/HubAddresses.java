package io.caravanserai.broker;

import java.util.Set;

/**
 * Addresses at the JMS broker that are the hub's own, or the broker's: nobody else takes from there or answers to there.
 *
 * @param hubName the hub's name ({@code hub.name}), with which its subscriptions and queues begin
 */
public record HubAddresses(String hubName) {
    /** The ways in and out, which all hubs share whatever their names. */
    private static final Set<String> SHARED = Set.of("orders", "signals", "order-events", "DLQ");

    /** Begins the subscription to {@code orders}, which hubs of all names share. */
    private static final String DEFAULT_PREFIX = "hub-";

    /** @param address with or without the name of a queue behind it ({@code order-events::hub-analytics}) */
    public boolean contains(String address) {
        int qualifier = address.indexOf("::");
        return qualifier < 0
                ? isOwn(address)
                : isOwn(address.substring(0, qualifier)) || isOwn(address.substring(qualifier + 2));
    }

    private boolean isOwn(String name) {
        return SHARED.contains(name)
                || name.startsWith("activemq.")
                || name.startsWith("$")
                || isSubscription(name)
                || isOfAFlow(name);
    }

    /** Whether a queue of that name is, or will be, a subscription of the hub. */
    boolean isSubscription(String queue) {
        return queue.startsWith(DEFAULT_PREFIX) || queue.startsWith(hubName + '-');
    }

    /** Queues between the routes of one version of a flow, such as {@code order-queue.reserve-items@7}. */
    static boolean isOfAFlow(String address) {
        String version = address.substring(address.lastIndexOf('@') + 1);
        return version.length() < address.length()
                && !version.isEmpty()
                && version.chars().allMatch(each -> each >= '0' && each <= '9');
    }
}
