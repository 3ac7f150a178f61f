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
 * Takes the records of a topic in, as one of a group. An offset is committed only when its record and all before it are
 * durable; what is in hand is bounded, and the partitions pause meanwhile.
 */
public final class RecordConsumer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RecordConsumer.class);
    private static final Duration IDLE = Duration.ofMillis(250);
    private static final Duration BUSY = Duration.ofMillis(5);
    private static final Duration COMMIT_EVERY = Duration.ofMillis(200);
    private static final Duration TRY_AGAIN = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);
    private static final long MOST_BYTES = 32L * 1024 * 1024;

    private final KafkaConnection link;
    private final String group;
    private final String topic;
    private final Limits limits;
    private final RecordHandler handler;
    private final LoopThread thread;
    private final CompletableFuture<Void> placed = new CompletableFuture<>();
    private final Map<TopicPartition, OffsetTracker> partitions = new HashMap<>();
    private final AtomicInteger inHand = new AtomicInteger();
    private final AtomicLong bytesInHand = new AtomicLong();
    private volatile Consumer<byte[], byte[]> consumer;
    private volatile String trouble;
    private volatile boolean closing;
    private boolean paused;
    private long lastCommit;

    /** Where a group that has never been begins. */
    public enum From {
        /** With all the records there are. */
        BEGINNING,
        /** With what is sent from now on. */
        NOW
    }

    /**
     * @param inHand records taken and not released; more are not taken until half of them are
     * @param patience how long records in hand are waited for when partitions are given away or this is closed
     */
    public record Limits(int inHand, Duration patience) {}

    public RecordConsumer(
            KafkaConnection link, String group, String topic, From from, Limits limits, RecordHandler handler) {
        this.link = link;
        this.group = group;
        this.topic = topic;
        this.limits = limits;
        this.handler = handler;
        this.thread = new LoopThread("kafka-intake-" + group, () -> run(from), () -> closing);
    }

    /** Begins; does not wait for the brokers. */
    public void start() {
        thread.start();
    }

    /** Completes when the group has its place in the topic: all that is sent after that will be taken. */
    public CompletableFuture<Void> placed() {
        return placed;
    }

    /** Waits for {@link #placed}, in vain when the brokers are away. */
    void awaitPlaced(Duration patience) {
        await(patience, placed::isDone);
    }

    /** Records taken and not released. */
    public int inHand() {
        return inHand.get();
    }

    /** Why no records come at present, beside the trouble of the link; empty while all is well. */
    public Optional<String> unavailableReason() {
        return Optional.ofNullable(trouble).or(thread::unavailableReason);
    }

    /** Begins to close, and does not wait for it. */
    void stopAccepting() {
        closing = true;
        Consumer<byte[], byte[]> running = consumer;
        if (running != null && !placed.isDone()) {
            // Later it looks up by itself, and a wake-up could cut its last commit short.
            running.wakeup();
        }
        placed.completeExceptionally(new IllegalStateException("closed"));
    }

    /** Takes nothing more, waits a little for what is in hand, commits, and leaves the group. */
    @Override
    public void close() {
        stopAccepting();
        thread.join(limits.patience().plusSeconds(5));
    }

    private void run(From from) {
        // Brokers that have not been there yet are looked for by the link alone.
        CompletableFuture.anyOf(link.ready(), placed)
                .handle((any, closed) -> null)
                .join();
        while (!closing) {
            try (Consumer<byte[], byte[]> opened =
                    new KafkaConsumer<>(link.consumerSettings(group), BoundedBytes.ofKeys(), BoundedBytes.ofBodies())) {
                consumer = opened;
                if (from == From.NOW && !placed.isDone()) {
                    new InitialOffsets(opened, topic).beginAtTheEnd();
                }
                placed.complete(null);
                opened.subscribe(List.of(topic), new Rebalance());
                take();
            } catch (WakeupException e) {
                LOG.debug("woken to close");
            } catch (InterruptException e) {
                // Only closing ends this.
                Thread.interrupted();
            } catch (Throwable e) {
                // Whatever it is, reading begins anew.
                trouble = "records of the topic " + topic + " cannot be read: " + KafkaConnection.reason(e);
                // That Kafka is away is told by the link, once for all.
                LOG.atLevel(link.unavailableReason().isEmpty() ? Level.WARN : Level.DEBUG)
                        .addKeyValue("topic", topic)
                        .addKeyValue("group", group)
                        .addKeyValue("error", KafkaConnection.reason(e))
                        .log("records cannot be read, trying again");
                partitions.values().forEach(OffsetTracker::giveAway);
                partitions.clear();
                paused = false;
                await(TRY_AGAIN, () -> closing);
            }
        }
    }

    private void take() {
        while (!closing) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(inHand.get() > 0 ? BUSY : IDLE)) {
                TopicPartition partition = new TopicPartition(record.topic(), record.partition());
                OffsetTracker progress = partitions.computeIfAbsent(partition, any -> new OffsetTracker());
                OffsetTracker.Entry entry = progress.take(record.offset());
                int size = record.value() == null ? 0 : record.value().length;
                inHand.incrementAndGet();
                bytesInHand.addAndGet(size);
                hand(BoundedHeaders.of(record), progress, entry, size, 1);
            }
            trouble = null;
            pauseOrResume();
            if (System.nanoTime() - lastCommit > COMMIT_EVERY.toNanos()) {
                commitSoon();
            }
        }
        finish();
    }

    private void hand(
            ConsumerRecord<byte[], byte[]> record,
            OffsetTracker progress,
            OffsetTracker.Entry entry,
            int size,
            int attempt) {
        if (progress.isGivenAway() || closing) {
            release(size);
            return;
        }
        Taken taken = taken(record);
        CompletableFuture<?> released = taken.released();
        taken.durable().whenComplete((nothing, failure) -> {
            if (failure == null) {
                entry.isDurable();
                released.whenComplete((any, error) -> release(size));
                return;
            }
            LOG.atWarn()
                    .addKeyValue("topic", topic)
                    .addKeyValue("partition", record.partition())
                    .addKeyValue("offset", record.offset())
                    .addKeyValue("attempt", attempt)
                    .addKeyValue("error", KafkaConnection.reason(failure))
                    .log("record not taken, trying again");
            long pause = Math.min(LONGEST_PAUSE.toMillis(), 50L << Math.min(attempt, 10));
            CompletableFuture.delayedExecutor(pause, TimeUnit.MILLISECONDS)
                    .execute(() -> hand(record, progress, entry, size, attempt + 1));
        });
    }

    private Taken taken(ConsumerRecord<byte[], byte[]> record) {
        try {
            return handler.take(record);
        } catch (Throwable e) {
            // Of this record alone, however bad: those behind it are to be taken.
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
        bytesInHand.addAndGet(-size);
        inHand.decrementAndGet();
    }

    private void pauseOrResume() {
        int open = partitions.values().stream().mapToInt(OffsetTracker::open).sum();
        int most = limits.inHand();
        boolean full = inHand.get() >= most || bytesInHand.get() >= MOST_BYTES || open >= 20 * most;
        boolean roomy = inHand.get() <= most / 2 && bytesInHand.get() <= MOST_BYTES / 2 && open <= 10 * most;
        if (full || (paused && !roomy)) {
            // Each time: partitions that have come since are not paused.
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
                // A failure needs nothing: the next commit says more.
                if (failure == null) {
                    remember(committed);
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
            remember(offsets);
        } catch (KafkaException e) {
            LOG.atLevel(link.unavailableReason().isEmpty() ? Level.INFO : Level.DEBUG)
                    .addKeyValue("group", group)
                    .addKeyValue("error", KafkaConnection.reason(e))
                    .log("offsets not committed; some records will come again");
        }
    }

    private void remember(Map<TopicPartition, OffsetAndMetadata> committed) {
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
        await(limits.patience(), () -> {
            toCommit(of);
            return of.stream().map(partitions::get).allMatch(progress -> progress == null || progress.open() == 0);
        });
    }

    private static void await(Duration patience, BooleanSupplier condition) {
        long end = System.nanoTime() + patience.toNanos();
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
                    progress.giveAway();
                }
            }
        }
    }
}
