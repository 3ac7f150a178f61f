package io.caravanserai.kafka;

import io.caravanserai.kafka.RecordHandler.Taken;
import io.caravanserai.support.LoopThread;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Consumes a topic as a member of a group. An offset is committed only when the record and all earlier records are
 * durable. Records in flight are bounded, and the partitions pause at the bound.
 */
public final class RecordConsumer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RecordConsumer.class);
    private static final Duration IDLE = Duration.ofMillis(250);
    private static final Duration BUSY = Duration.ofMillis(5);
    private static final Duration COMMIT_INTERVAL = Duration.ofMillis(200);
    private static final Duration RETRY_INTERVAL = Duration.ofSeconds(1);
    private static final Duration MAX_PAUSE = Duration.ofSeconds(5);
    private static final long MAX_BYTES_IN_FLIGHT = 32L * 1024 * 1024;

    private final KafkaConnection connection;
    private final String group;
    private final String topic;
    private final Limits limits;
    private final RecordHandler handler;
    private final LoopThread thread;
    private final CompletableFuture<Void> positioned = new CompletableFuture<>();
    private final Map<TopicPartition, OffsetTracker> partitions = new HashMap<>();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicLong bytesInFlight = new AtomicLong();
    private volatile Consumer<byte[], byte[]> consumer;
    private volatile String unavailableReason;
    private volatile boolean closing;
    private boolean paused;
    private long lastCommit;

    /** Start position of a new group. */
    public enum From {
        /** All existing records. */
        BEGINNING,
        /** Records sent from now on. */
        NOW
    }

    /**
     * @param maxInFlight maximum number of records taken and not released; at this number, no more are taken until half
     *     are released
     * @param drainTimeout how long to wait for records in flight when partitions are revoked or this consumer is closed
     */
    public record Limits(int maxInFlight, Duration drainTimeout) {}

    public RecordConsumer(
            KafkaConnection connection, String group, String topic, From from, Limits limits, RecordHandler handler) {
        this.connection = connection;
        this.group = group;
        this.topic = topic;
        this.limits = limits;
        this.handler = handler;
        this.thread = new LoopThread("kafka-intake-" + group, () -> run(from), () -> closing);
    }

    /** Starts consuming; does not wait for the brokers. */
    public void start() {
        thread.start();
    }

    /** Completes when the group has a position in the topic: all records sent later will be taken. */
    public CompletableFuture<Void> positioned() {
        return positioned;
    }

    /** Waits for {@link #positioned} up to the timeout, which expires while the brokers are unavailable. */
    void awaitPositioned(Duration timeout) {
        await(timeout, positioned::isDone);
    }

    /** Records taken and not released. */
    public int inFlight() {
        return inFlight.get();
    }

    /** Why no records arrive, apart from an outage of the connection; empty while consuming works. */
    public Optional<String> unavailableReason() {
        return Optional.ofNullable(unavailableReason).or(thread::unavailableReason);
    }

    /** Starts closing, without waiting for the end. */
    void stopAccepting() {
        closing = true;
        Consumer<byte[], byte[]> running = consumer;
        if (running != null && !positioned.isDone()) {
            // A running consumer polls the flag without a wake-up, which could interrupt the last commit.
            running.wakeup();
        }
        positioned.completeExceptionally(new IllegalStateException("closed"));
    }

    /** Stops consuming, waits for records in flight up to the limit, commits, and leaves the group. */
    @Override
    public void close() {
        stopAccepting();
        thread.join(limits.drainTimeout().plusSeconds(5));
    }

    private void run(From from) {
        // Only the connection looks for brokers that were never available.
        CompletableFuture.anyOf(connection.ready(), positioned)
                .handle((any, closed) -> null)
                .join();
        while (!closing) {
            try (Consumer<byte[], byte[]> opened = new KafkaConsumer<>(
                    connection.consumerSettings(group), BoundedBytes.ofKeys(), BoundedBytes.ofBodies())) {
                consumer = opened;
                if (from == From.NOW && !positioned.isDone()) {
                    new InitialOffsets(opened, topic).commitEndOffsets();
                }
                positioned.complete(null);
                opened.subscribe(List.of(topic), new Rebalance());
                consume();
            } catch (WakeupException e) {
                LOG.debug("woken to close");
            } catch (InterruptException e) {
                // Only closing ends this loop.
                Thread.interrupted();
            } catch (Throwable e) {
                // After any error, consuming starts again.
                unavailableReason = "cannot read records of the topic " + topic + ": " + KafkaConnection.reason(e);
                // The connection logs an outage once for all consumers.
                LOG.atLevel(connection.unavailableReason().isEmpty() ? Level.WARN : Level.DEBUG)
                        .addKeyValue("topic", topic)
                        .addKeyValue("group", group)
                        .addKeyValue("error", KafkaConnection.reason(e))
                        .log("cannot read records; will retry");
                partitions.values().forEach(OffsetTracker::revoke);
                partitions.clear();
                paused = false;
                await(RETRY_INTERVAL, () -> closing);
            }
        }
    }

    private void consume() {
        while (!closing) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(inFlight.get() > 0 ? BUSY : IDLE)) {
                TopicPartition partition = new TopicPartition(record.topic(), record.partition());
                OffsetTracker progress = partitions.computeIfAbsent(partition, any -> new OffsetTracker());
                OffsetTracker.Entry entry = progress.take(record.offset());
                int size = record.value() == null ? 0 : record.value().length;
                inFlight.incrementAndGet();
                bytesInFlight.addAndGet(size);
                handle(BoundedHeaders.of(record), progress, entry, size, 1);
            }
            unavailableReason = null;
            pauseOrResume();
            if (System.nanoTime() - lastCommit > COMMIT_INTERVAL.toNanos()) {
                commitSoon();
            }
        }
        finish();
    }

    private void handle(
            ConsumerRecord<byte[], byte[]> record,
            OffsetTracker progress,
            OffsetTracker.Entry entry,
            int size,
            int attempt) {
        if (progress.isRevoked() || closing) {
            release(size);
            return;
        }
        Taken taken = taken(record);
        CompletableFuture<?> released = taken.released();
        taken.durable().whenComplete((nothing, failure) -> {
            if (failure == null) {
                entry.markDurable();
                released.whenComplete((any, error) -> release(size));
                return;
            }
            LOG.atWarn()
                    .addKeyValue("topic", topic)
                    .addKeyValue("partition", record.partition())
                    .addKeyValue("offset", record.offset())
                    .addKeyValue("attempt", attempt)
                    .addKeyValue("error", KafkaConnection.reason(failure))
                    .log("record not handled; will retry");
            long pause = Math.min(MAX_PAUSE.toMillis(), 50L << Math.min(attempt, 10));
            CompletableFuture.delayedExecutor(pause, TimeUnit.MILLISECONDS)
                    .execute(() -> handle(record, progress, entry, size, attempt + 1));
        });
    }

    private Taken taken(ConsumerRecord<byte[], byte[]> record) {
        try {
            return handler.take(record);
        } catch (Throwable e) {
            // An error, however severe, concerns this record only: later records must still be taken.
            return Taken.until(setAside(record, e));
        }
    }

    private CompletableFuture<Void> setAside(ConsumerRecord<byte[], byte[]> record, Throwable failure) {
        try {
            return handler.setAside(record, failure);
        } catch (Throwable e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private void release(int size) {
        bytesInFlight.addAndGet(-size);
        inFlight.decrementAndGet();
    }

    private void pauseOrResume() {
        int open = partitions.values().stream().mapToInt(OffsetTracker::open).sum();
        int maxInFlight = limits.maxInFlight();
        boolean full =
                inFlight.get() >= maxInFlight || bytesInFlight.get() >= MAX_BYTES_IN_FLIGHT || open >= 20 * maxInFlight;
        boolean hasRoom = inFlight.get() <= maxInFlight / 2
                && bytesInFlight.get() <= MAX_BYTES_IN_FLIGHT / 2
                && open <= 10 * maxInFlight;
        if (full || (paused && !hasRoom)) {
            // On each call, because newly assigned partitions are not paused.
            consumer.pause(consumer.assignment());
            paused = true;
        } else if (paused) {
            consumer.resume(consumer.paused());
            paused = false;
        }
    }

    private Map<TopicPartition, OffsetAndMetadata> toCommit(Collection<TopicPartition> of) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (TopicPartition partition : of) {
            OffsetTracker progress = partitions.get(partition);
            if (progress != null) {
                progress.toCommit().ifPresent(offset -> offsets.put(partition, new OffsetAndMetadata(offset)));
            }
        }
        return offsets;
    }

    private void commitSoon() {
        lastCommit = System.nanoTime();
        Map<TopicPartition, OffsetAndMetadata> offsets = toCommit(partitions.keySet());
        if (!offsets.isEmpty()) {
            consumer.commitAsync(offsets, (committed, failure) -> {
                // A failure is ignored: the next commit covers these offsets.
                if (failure == null) {
                    markCommitted(committed);
                }
            });
        }
    }

    private void commitNow(Collection<TopicPartition> of) {
        Map<TopicPartition, OffsetAndMetadata> offsets = toCommit(of);
        if (offsets.isEmpty()) {
            return;
        }
        try {
            consumer.commitSync(offsets, Duration.ofSeconds(3));
            markCommitted(offsets);
        } catch (KafkaException e) {
            LOG.atLevel(connection.unavailableReason().isEmpty() ? Level.INFO : Level.DEBUG)
                    .addKeyValue("group", group)
                    .addKeyValue("error", KafkaConnection.reason(e))
                    .log("offsets not committed; some records will be delivered again");
        }
    }

    private void markCommitted(Map<TopicPartition, OffsetAndMetadata> committed) {
        committed.forEach((partition, offset) -> {
            OffsetTracker progress = partitions.get(partition);
            if (progress != null) {
                progress.committed(offset.offset());
            }
        });
    }

    private void finish() {
        awaitDurable(partitions.keySet());
        commitNow(partitions.keySet());
        consumer.close(CloseOptions.timeout(Duration.ofSeconds(3))
                .withGroupMembershipOperation(GroupMembershipOperation.LEAVE_GROUP));
    }

    private void awaitDurable(Collection<TopicPartition> of) {
        await(limits.drainTimeout(), () -> {
            toCommit(of);
            return of.stream().map(partitions::get).allMatch(progress -> progress == null || progress.open() == 0);
        });
    }

    private static void await(Duration timeout, BooleanSupplier condition) {
        long end = System.nanoTime() + timeout.toNanos();
        try {
            while (!condition.getAsBoolean() && System.nanoTime() < end) {
                Thread.sleep(BUSY.toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Rebalance implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
            assigned.forEach(partition -> partitions.put(partition, new OffsetTracker()));
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
            awaitDurable(revoked);
            commitNow(revoked);
            forget(revoked);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> lost) {
            forget(lost);
        }

        private void forget(Collection<TopicPartition> gone) {
            for (TopicPartition partition : gone) {
                OffsetTracker progress = partitions.remove(partition);
                if (progress != null) {
                    progress.revoke();
                }
            }
        }
    }
}
