package io.caravanserai.kafka;

import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * A topic of the hub. Created if missing and permitted; an existing topic stays unchanged.
 *
 * @param partitions how many orders can be processed in parallel, over all hubs
 * @param maxMessageBytes maximum message size in bytes
 */
public record KafkaTopic(String name, int partitions, int maxMessageBytes) {
    private static final int MEBI = 1024 * 1024;

    /**
     * Incoming orders. Accepts larger messages than an order may be, so that oversized orders appear among the dead
     * letters.
     */
    public static final KafkaTopic ORDERS = new KafkaTopic("orders", 8, 4 * MEBI);

    /** Signals for waiting orders. */
    public static final KafkaTopic SIGNALS = new KafkaTopic("signals", 8, 4 * MEBI);

    /** Orders that could not be handled. */
    public static final KafkaTopic DEAD_LETTERS = new KafkaTopic("orders.DLT", 1, 8 * MEBI);

    /** Outgoing events. */
    public static final KafkaTopic ORDER_EVENTS = new KafkaTopic("order-events", 8, 4 * MEBI);

    /** Maximum size of a message that the hub sends or receives, in bytes. */
    public static final int MAX_MESSAGE_BYTES = 8 * MEBI;

    /** A topic of the same kind with another name. */
    public KafkaTopic named(String other) {
        return new KafkaTopic(other, partitions, maxMessageBytes);
    }

    /** The topic to create, with the cluster's default number of replicas. */
    NewTopic toCreate() {
        return new NewTopic(name, Optional.of(partitions), Optional.empty())
                .configs(Map.of("max.message.bytes", String.valueOf(maxMessageBytes)));
    }
}
