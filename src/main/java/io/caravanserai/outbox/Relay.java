package io.caravanserai.outbox;

import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetterSink;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventCodec;
import io.caravanserai.event.InvalidEventException;
import io.caravanserai.store.Store;
import io.caravanserai.support.LoopThread;
import io.caravanserai.support.OutageLog;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Sends events on as soon as they are durable, in the order of the log, and then marks them. Always reads them from the
 * log: that costs less than keeping them in memory in the right order, needs no memory while the broker is away, and
 * makes the start after a crash nothing special. An event is sent again when the hub died before its mark was durable.
 */
public final class Relay implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);

    private static final int BATCH = 500;
    private static final int IDLE_MILLIS = 500;
    private static final long LONGEST_PAUSE_MILLIS = 3_000;

    private final Destination destination;
    private final Store store;
    private final EventCodec codec;
    private final Function<List<CloudEvent>, CompletableFuture<Void>> publisher;
    private final DeadLetterSink deadLetters;
    private final RecordedEvents recorded;
    private final Clock clock;
    private final Semaphore news = new Semaphore(0);
    private final LoopThread thread;
    private CompletableFuture<Void> marks = CompletableFuture.completedFuture(null);
    private long position;
    private volatile String trouble;
    private volatile boolean closed;

    /**
     * @param destination whose marks it keeps; one relay for each
     * @param publisher sends a batch in its order; completes when it is durable at the broker
     * @param recorded told what is about to be published
     */
    public Relay(
            Destination destination,
            Store store,
            EventCodec codec,
            Function<List<CloudEvent>, CompletableFuture<Void>> publisher,
            DeadLetterSink deadLetters,
            RecordedEvents recorded,
            Clock clock) {
        this.destination = destination;
        this.store = store;
        this.codec = codec;
        this.publisher = publisher;
        this.deadLetters = deadLetters;
        this.recorded = recorded;
        this.clock = clock;
        this.thread = new LoopThread("outbox-relay-" + destination.wire(), this::run, () -> closed);
    }

    /** Begins with what is still to be sent. */
    public Relay start() {
        thread.start();
        return this;
    }

    /** Says that there are new events in the log. Never blocks. */
    public void wake() {
        if (news.availablePermits() == 0) {
            news.release();
        }
    }

    /** Why nothing can be sent at present; empty when the last attempt succeeded. */
    public Optional<String> unavailableReason() {
        return Optional.ofNullable(trouble).or(thread::unavailableReason);
    }

    /** How many events are still to be sent. */
    public CompletableFuture<Long> owed() {
        return store.read(
                tx -> tx.first(destination.owed(), row -> row.getLong(1)).orElse(0L));
    }

    private void run() {
        long pause = 50;
        while (!closed) {
            try {
                if (!relayNext()) {
                    marks.join();
                    // An event that committed after a later one, as writers beside each other may have it, is found
                    // now.
                    position = 0;
                    if (!relayNext()) {
                        news.tryAcquire(IDLE_MILLIS, TimeUnit.MILLISECONDS);
                        news.drainPermits();
                    }
                }
                trouble = null;
                pause = 50;
            } catch (InterruptedException e) {
                LOG.debug("relay woken to close");
            } catch (Throwable e) {
                trouble = "events cannot be sent on: " + DeadLetter.firstLine(e.getCause() == null ? e : e.getCause());
                if (!closed) {
                    // That a part is away is told elsewhere, not at each attempt.
                    LOG.atLevel(OutageLog.isAnyPartAway() ? Level.DEBUG : Level.WARN)
                            .addKeyValue("error", trouble)
                            .log("relay waits before it tries again");
                    pause = sleep(pause);
                }
            }
        }
    }

    private long sleep(long pause) {
        try {
            TimeUnit.MILLISECONDS.sleep(pause);
        } catch (InterruptedException e) {
            LOG.debug("relay woken to close");
        }
        return Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
    }

    /** Sends a batch and lets it be marked; false when there was nothing to send. */
    private boolean relayNext() throws InterruptedException, ExecutionException {
        long from = position;
        List<StoredEvent> batch = store.read(tx -> tx.list(destination.unsent(), StoredEvent::of, from, BATCH))
                .get();
        if (batch.isEmpty()) {
            return false;
        }
        List<CloudEvent> written = new ArrayList<>(batch.size());
        for (StoredEvent each : batch) {
            written.addAll(write(each.event()));
        }
        recorded.remember(batch);
        if (!written.isEmpty()) {
            publish(written);
        }
        position = batch.get(batch.size() - 1).sequence();
        CompletableFuture<Void> before = marks;
        CompletableFuture<Void> marked = mark(batch);
        marks = before.thenCombine(marked, (one, other) -> null);
        return true;
    }

    private List<CloudEvent> write(CloudEvent event) throws InterruptedException, ExecutionException {
        try {
            return codec.write(event);
        } catch (InvalidEventException e) {
            giveUp(event, e.reason(), e);
        } catch (RuntimeException | StackOverflowError e) {
            giveUp(event, "not-sent", e);
        }
        return List.of();
    }

    /** An event that can never be sent must not keep those behind it from being sent. */
    private void publish(List<CloudEvent> events) throws InterruptedException, ExecutionException {
        try {
            publisher.apply(events).get();
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof InvalidEventException refused)) {
                throw e;
            }
            if (events.size() == 1) {
                giveUp(events.get(0), refused.reason(), refused);
                return;
            }
            for (CloudEvent each : events) {
                publish(List.of(each));
            }
        }
    }

    private void giveUp(CloudEvent event, String reason, Throwable failure)
            throws InterruptedException, ExecutionException {
        LOG.atError()
                .addKeyValue("eventId", event.id())
                .addKeyValue("orderId", event.orderId())
                .addKeyValue("error", failure.toString())
                .log("event cannot be sent to " + destination.wire() + "; it is a dead letter");
        deadLetters
                .add(new DeadLetter.Failed(
                        "outbox:" + event.id(),
                        "outbox",
                        "order-events",
                        event.type().name(),
                        reason,
                        DeadLetter.firstLine(failure),
                        event.attributes(),
                        event.data(),
                        false))
                .get();
    }

    private CompletableFuture<Void> mark(List<StoredEvent> batch) {
        long first = batch.get(0).sequence();
        long last = batch.get(batch.size() - 1).sequence();
        return store.<Void>write("mark-sent", "relay-" + destination.wire(), tx -> {
                    if (last - first + 1 == batch.size()) {
                        tx.update(destination.markAll(), clock.instant(), first, last);
                    } else {
                        for (StoredEvent each : batch) {
                            tx.update(destination.mark(), clock.instant(), each.sequence());
                        }
                    }
                    return null;
                })
                .handle((nothing, error) -> error)
                .thenCompose(error -> {
                    if (error == null || closed) {
                        return CompletableFuture.completedFuture(null);
                    }
                    // Sent but not marked: marking again is right, sending again would bring it out of order.
                    return CompletableFuture.runAsync(
                                    () -> {}, CompletableFuture.delayedExecutor(200, TimeUnit.MILLISECONDS))
                            .thenCompose(nothing -> mark(batch));
                });
    }

    /** Sends nothing more; what is left is sent at the next start. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        thread.join(Duration.ofSeconds(10));
    }
}
