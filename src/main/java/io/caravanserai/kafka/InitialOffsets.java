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
 * Commits the end of a topic as the start of a new group before the group joins, so that no later record is missed. The
 * setting {@code auto.offset.reset=latest} would skip records sent before the group has partitions.
 */
final class InitialOffsets {
    private final Consumer<byte[], byte[]> consumer;
    private final String topic;

    InitialOffsets(Consumer<byte[], byte[]> consumer, String topic) {
        this.consumer = consumer;
        this.topic = topic;
    }

    /** @throws KafkaException if the brokers do not answer, or the topic does not exist yet */
    void commitEndOffsets() {
        List<PartitionInfo> found = consumer.partitionsFor(topic);
        if (found == null || found.isEmpty()) {
            throw new KafkaException("the topic " + topic + " does not exist yet");
        }
        Set<TopicPartition> partitions = found.stream()
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .collect(Collectors.toSet());
        if (hasCommittedOffset(partitions)) {
            return;
        }
        Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
        consumer.endOffsets(partitions).forEach((partition, end) -> ends.put(partition, new OffsetAndMetadata(end)));
        try {
            consumer.commitSync(ends);
        } catch (CommitFailedException e) {
            // Another hub has joined first, and has committed offsets for the group.
            if (!hasCommittedOffset(partitions)) {
                throw e;
            }
        }
    }

    private boolean hasCommittedOffset(Set<TopicPartition> partitions) {
        return consumer.committed(partitions).values().stream().anyMatch(Objects::nonNull);
    }
}
