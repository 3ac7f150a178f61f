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
 * Sends durable events to a destination in the order of the log, then marks the events as sent. Always reads from the
 * log: a read costs less than a sorted queue in memory, needs no memory during an outage of the broker, and needs no
 * special recovery after a crash. An event is sent again when the hub stops before the mark is durable.
 */
public final class Relay implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);

    private static final int BATCH = 500;
    private static final int IDLE_MILLIS = 500;
    private static final long MAX_PAUSE_MILLIS = 3_000;

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
    private volatile String lastFailure;
    private volatile boolean closed;

    /**
     * @param destination the destination; each destination has one relay
     * @param publisher sends a batch in the given order; completes when the batch is durable at the broker
     * @param recorded receives each batch before publication
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

    /** Starts the relay with the unsent events. */
    public Relay start() {
        thread.start();
        return this;
    }

    /** Signals new events in the log. Never blocks. */
    public void wake() {
        if (news.availablePermits() == 0) {
            news.release();
        }
    }

    /** Why the relay cannot send at present; empty when the last attempt succeeded. */
    public Optional<String> unavailableReason() {
        return Optional.ofNullable(lastFailure).or(thread::unavailableReason);
    }

    /** The number of unsent events. */
    public CompletableFuture<Long> owed() {
        return store.read(
                tx -> tx.first(destination.pending(), row -> row.getLong(1)).orElse(0L));
    }

    private void run() {
        long pause = 50;
        while (!closed) {
            try {
                if (!relayNext()) {
                    marks.join();
                    // Parallel writers may commit events out of sequence. Starting over finds a skipped event.
                    position = 0;
                    if (!relayNext()) {
                        news.tryAcquire(IDLE_MILLIS, TimeUnit.MILLISECONDS);
                        news.drainPermits();
                    }
                }
                lastFailure = null;
                pause = 50;
            } catch (InterruptedException e) {
                LOG.debug("event relay interrupted for shutdown");
            } catch (Throwable e) {
                lastFailure = "events cannot be sent to " + destination.wire() + ": "
                        + DeadLetter.firstLine(e.getCause() == null ? e : e.getCause());
                if (!closed) {
                    // OutageLog reports the outage; no warning per attempt.
                    LOG.atLevel(OutageLog.isAnyPartAway() ? Level.DEBUG : Level.WARN)
                            .addKeyValue("error", lastFailure)
                            .log("event relay failed; retrying");
                    pause = sleep(pause);
                }
            }
        }
    }

    private long sleep(long pause) {
        try {
            TimeUnit.MILLISECONDS.sleep(pause);
        } catch (InterruptedException e) {
            LOG.debug("event relay interrupted for shutdown");
        }
        return Math.min(2 * pause, MAX_PAUSE_MILLIS);
    }

    /** Sends a batch and starts the marking; false when the log has no unsent events. */
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

    /**
     * Publishes the events. When the publisher refuses an event, each event is published separately, and the refused
     * event becomes a dead letter.
     */
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
                .log("event cannot be sent to " + destination.wire() + "; moved to the dead letters");
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
                    // The events are sent but not marked: only the mark is retried, because sending again would break
                    // the order.
                    return CompletableFuture.runAsync(
                                    () -> {}, CompletableFuture.delayedExecutor(200, TimeUnit.MILLISECONDS))
                            .thenCompose(nothing -> mark(batch));
                });
    }

    /** Stops sending. The next start sends the remaining events. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        thread.join(Duration.ofSeconds(10));
    }
}
