package io.caravanserai.kafka;

import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * A topic the hub needs. It is created when missing and permitted; one that exists is left as it is.
 *
 * @param partitions how many orders can be worked on side by side, over all hubs
 * @param largestMessage in bytes
 */
public record KafkaTopic(String name, int partitions, int largestMessage) {
    private static final int MEBI = 1024 * 1024;

    /** Orders in. Takes more than an order may have, so that what is too large is seen among the dead letters. */
    public static final KafkaTopic ORDERS = new KafkaTopic("orders", 8, 4 * MEBI);

    /** Signals for orders that wait for one. */
    public static final KafkaTopic SIGNALS = new KafkaTopic("signals", 8, 4 * MEBI);

    /** Orders that could not be handled. */
    public static final KafkaTopic DEAD_LETTERS = new KafkaTopic("orders.DLT", 1, 8 * MEBI);

    /** Events out. */
    public static final KafkaTopic ORDER_EVENTS = new KafkaTopic("order-events", 8, 4 * MEBI);

    /** The largest message the hub sends or takes. */
    public static final int LARGEST_MESSAGE = 8 * MEBI;

    /** As many replicas as the cluster's own default. */
    NewTopic toCreate() {
        return new NewTopic(name, Optional.of(partitions), Optional.empty())
                .configs(Map.of("max.message.bytes", String.valueOf(largestMessage)));
    }
}
