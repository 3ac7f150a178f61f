package io.caravanserai.kafka;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * Gives a new group its place at the end of a topic before it takes part, so that nothing sent after that is missed: the
 * setting {@code auto.offset.reset=latest} would skip what is sent until the group has its partitions.
 */
final class InitialOffsets {
    private final Consumer<byte[], byte[]> consumer;
    private final String topic;

    InitialOffsets(Consumer<byte[], byte[]> consumer, String topic) {
        this.consumer = consumer;
        this.topic = topic;
    }

    /** @throws KafkaException when the brokers cannot say, or the topic is not there yet */
    void beginAtTheEnd() {
        List<PartitionInfo> found = consumer.partitionsFor(topic);
        if (found == null || found.isEmpty()) {
            throw new KafkaException("there is no topic " + topic + " yet");
        }
        Set<TopicPartition> partitions = found.stream()
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .collect(Collectors.toSet());
        if (hasPlace(partitions)) {
            return;
        }
        Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
        consumer.endOffsets(partitions).forEach((partition, end) -> ends.put(partition, new OffsetAndMetadata(end)));
        try {
            consumer.commitSync(ends);
        } catch (CommitFailedException e) {
            // Another hub was quicker and takes part already; it has placed the group.
            if (!hasPlace(partitions)) {
                throw e;
            }
        }
    }

    private boolean hasPlace(Set<TopicPartition> partitions) {
        return consumer.committed(partitions).values().stream().anyMatch(Objects::nonNull);
    }
}
