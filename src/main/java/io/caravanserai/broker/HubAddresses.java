package io.caravanserai.broker;

import java.util.Set;

/**
 * JMS addresses reserved for the hub or the broker: other programs neither receive from nor reply to these.
 *
 * @param hubName the hub's name ({@code hub.name}), prefix of the hub's subscriptions and queues
 */
public record HubAddresses(String hubName) {
    /** Ingress and egress addresses, shared by hubs of all names. */
    private static final Set<String> SHARED = Set.of("orders", "signals", "order-events", "DLQ");

    /** Prefix of the subscription to {@code orders}, shared by hubs of all names. */
    private static final String DEFAULT_PREFIX = "hub-";

    /**
     * Whether the address, or the queue in the address, is reserved.
     *
     * @param address with or without a queue name ({@code order-events::hub-analytics})
     */
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
                || isFlowQueue(name);
    }

    /** Whether a queue name belongs to a subscription of the hub, existing or future. */
    boolean isSubscription(String queue) {
        return queue.startsWith(DEFAULT_PREFIX) || queue.startsWith(hubName + '-');
    }

    /** Whether a queue connects the routes of one flow version, such as {@code order-queue.reserve-items@7}. */
    static boolean isFlowQueue(String address) {
        String version = address.substring(address.lastIndexOf('@') + 1);
        return version.length() < address.length()
                && !version.isEmpty()
                && version.chars().allMatch(each -> each >= '0' && each <= '9');
    }
}
