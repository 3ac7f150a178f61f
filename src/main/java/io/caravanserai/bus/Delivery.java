package io.caravanserai.bus;

import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetterSink;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventCodec;
import io.caravanserai.event.InvalidEventException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Delivers the messages of one subscriber from a transport to the handler: decodes and checks each message, keeps the
 * events of one order in sequence, retries, and moves a message to the dead letters when the retries are exhausted.
 * Thread-safe.
 */
public final class Delivery {
    private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);

    private static final Duration DEAD_LETTER_RETRY = Duration.ofSeconds(1);
    private static final Duration OPEN_ORDER_RETRY_PAUSE = Duration.ofSeconds(2);
    private static final Retry OUTAGE_RETRY =
            new Retry(Integer.MAX_VALUE, Duration.ofMillis(500), Duration.ofSeconds(8));
    private static final String NOT_HANDLED = "not-handled";

    private final String subscriber;
    private final EventHandler handler;
    private final EventCodec codec;
    private final Retry retry;
    private final Executor executor;
    private final DeadLetterSink deadLetters;
    private final EventBusListener listener;
    private final EventVerifier verifier;
    private final Map<String, CompletableFuture<Void>> lanes = new ConcurrentHashMap<>();
    private final RecentDeliveries recent = new RecentDeliveries(System::nanoTime);
    private volatile boolean closed;

    /**
     * A message as received from a transport.
     *
     * @param id message id; identifies a message that turns out not to be an event
     * @param attributes by CloudEvents name
     * @param headers all headers of the message; only read when the message becomes a dead letter
     * @param data null when the message has no body
     * @param base64 whether the data is base64 because the body was not text; a base64 body is not an event
     */
    public record Incoming(
            String id,
            Map<String, String> attributes,
            Supplier<Map<String, String>> headers,
            String data,
            boolean base64) {}

    /**
     * @param executor runs the handler; the handler may block a thread of the executor
     * @param verifier looks up the recorded event; an event that is not recorded is not handled
     */
    public Delivery(
            String subscriber,
            EventHandler handler,
            EventCodec codec,
            Retry retry,
            Executor executor,
            DeadLetterSink deadLetters,
            EventBusListener listener,
            EventVerifier verifier) {
        this.subscriber = subscriber;
        this.handler = handler;
        this.codec = codec;
        this.retry = retry;
        this.executor = executor;
        this.deadLetters = deadLetters;
        this.listener = listener;
        this.verifier = verifier;
    }

    /** The channel of this subscriber's dead letters. */
    public static String channel(String subscriber) {
        return "events-" + subscriber;
    }

    /**
     * Delivers a message. The future never fails. The future completes when the message was handled, was filtered out,
     * or is durable as a dead letter. The future never completes when this delivery is closed before that.
     */
    public CompletableFuture<Void> deliver(String source, Incoming message) {
        String type = message.attributes().get("type");
        CloudEvent event;
        try {
            if (type != null && !handler.wants(type)) {
                return CompletableFuture.completedFuture(null);
            }
            event = read(message.attributes(), message.base64() ? null : message.data());
        } catch (InvalidEventException e) {
            return giveUp(source, message, type, message.id(), e.reason(), e);
        } catch (RuntimeException | StackOverflowError e) {
            return setAside(source, message, e);
        }
        // The key has the type and the order too: a foreign event published under a known id must not suppress the real
        // event.
        String key = event.id() + '/' + event.type() + '/' + event.orderId();
        return recent.shared(
                key,
                () -> inSequence(event.orderId(), () -> ifRecorded(event, 1))
                        .handle((nothing, error) -> error)
                        .thenCompose(error -> error == null
                                ? CompletableFuture.<Void>completedFuture(null)
                                : giveUp(source, message, event.type().name(), event.id(), "handler-failed", error)
                                        .thenRun(() -> recent.forget(key))));
    }

    /** Adds an unprocessable message to the dead letters. The future completes as in {@link #deliver}. */
    public CompletableFuture<Void> setAside(String source, Incoming message, Throwable failure) {
        return giveUp(source, message, message.attributes().get("type"), message.id(), NOT_HANDLED, failure);
    }

    /**
     * Redelivers an event, in sequence with the other events of the same order. Fails when the event is invalid or not
     * recorded, or when the handler fails.
     */
    public CompletableFuture<Void> redeliver(Map<String, String> attributes, String data) {
        try {
            CloudEvent event = read(attributes, data);
            return inSequence(
                    event.orderId(),
                    () -> verifier.recorded(event)
                            .thenCompose(recorded -> recorded.map(this::once)
                                    .orElseGet(() -> CompletableFuture.failedFuture(new IllegalArgumentException(
                                            "this hub has not recorded the event " + event.id() + " of the order "
                                                    + event.orderId() + "; the event is not handled")))));
        } catch (InvalidEventException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** Stops the delivery: queued events are not started and failed events are not retried. */
    public void close() {
        closed = true;
    }

    private CloudEvent read(Map<String, String> attributes, String data) {
        CloudEvent event = codec.read(attributes, data);
        listener.heard(subscriber, event, event.version());
        return codec.newest(event);
    }

    private interface Work {
        CompletableFuture<Void> begin();
    }

    private CompletableFuture<Void> inSequence(String orderId, Work work) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        CompletableFuture<Void> before = lanes.put(orderId, done);
        Runnable begin = () -> start(work).whenComplete((nothing, error) -> {
            lanes.remove(orderId, done);
            if (error == null) {
                done.complete(null);
            } else {
                done.completeExceptionally(error);
            }
        });
        if (before == null) {
            begin.run();
        } else {
            before.whenComplete((nothing, error) -> begin.run());
        }
        return done;
    }

    /** Handles the recorded form of the event. An event without a record is ignored. */
    private CompletableFuture<Void> ifRecorded(CloudEvent event, int attempt) {
        if (closed) {
            return new CompletableFuture<>();
        }
        return verifier.recorded(event)
                .handle((recorded, error) -> {
                    if (error == null) {
                        return recorded.map(found -> attempt(found, 1, 0))
                                .orElseGet(() -> CompletableFuture.completedFuture(null));
                    }
                    if (attempt == 1) {
                        LOG.atWarn()
                                .addKeyValue("subscriber", subscriber)
                                .addKeyValue("orderId", event.orderId())
                                .addKeyValue("error", DeadLetter.firstLine(cause(error)))
                                .log("event log lookup failed; retrying");
                    }
                    return after(retry.pauseAfter(attempt)).thenCompose(nothing -> ifRecorded(event, attempt + 1));
                })
                .thenCompose(handled -> handled);
    }

    /** Turns an exception into a failed future, so that the next events of the same order are not blocked. */
    private static CompletableFuture<Void> start(Work work) {
        try {
            return work.begin();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /**
     * @param outages consecutive attempts that failed because a part of the hub was unavailable; not counted as
     *     attempts
     */
    private CompletableFuture<Void> attempt(CloudEvent event, int attempt, int outages) {
        return once(event).handle((nothing, error) -> error).thenCompose(error -> {
            if (error == null) {
                return CompletableFuture.<Void>completedFuture(null);
            }
            if (DeadLetters.isAway(error)) {
                return afterOutage(event, attempt, outages, cause(error));
            }
            if (attempt >= retry.attempts()) {
                return handler.takeOver(event, cause(error))
                        .exceptionally(unknown -> false)
                        .thenCompose(taken -> taken
                                ? CompletableFuture.<Void>completedFuture(null)
                                : keepTrying(event, attempt, cause(error)));
            }
            listener.retrying(subscriber, event, attempt, cause(error));
            // One warning per event: further attempts are logged at debug, the dead letter has a warning of its own.
            LOG.atLevel(attempt == 1 ? Level.WARN : Level.DEBUG)
                    .addKeyValue("subscriber", subscriber)
                    .addKeyValue("orderId", event.orderId())
                    .addKeyValue("type", event.type())
                    .addKeyValue("attempt", attempt)
                    .addKeyValue("error", DeadLetter.firstLine(cause(error)))
                    .log("event handler failed; retrying");
            return after(retry.pauseAfter(attempt)).thenCompose(nothing -> attempt(event, attempt + 1, 0));
        });
    }

    private CompletableFuture<Void> keepTrying(CloudEvent event, int attempt, Throwable error) {
        return handler.keepsTrying(event).exceptionally(unknown -> false).thenCompose(keep -> {
            if (!keep || closed) {
                return CompletableFuture.<Void>failedFuture(error);
            }
            listener.retrying(subscriber, event, attempt, error);
            return after(OPEN_ORDER_RETRY_PAUSE).thenCompose(nothing -> attempt(event, attempt + 1, 0));
        });
    }

    /**
     * Retries after an outage without counting an attempt. Logs at debug only: the unavailable part reports itself in
     * the log and in the readiness check.
     */
    private CompletableFuture<Void> afterOutage(CloudEvent event, int attempt, int outages, Throwable error) {
        LOG.atDebug()
                .addKeyValue("subscriber", subscriber)
                .addKeyValue("orderId", event.orderId())
                .addKeyValue("error", DeadLetter.firstLine(error))
                .log("event not handled because a part of the hub is unavailable; retrying");
        return after(OUTAGE_RETRY.pauseAfter(outages + 1)).thenCompose(nothing -> attempt(event, attempt, outages + 1));
    }

    private CompletableFuture<Void> once(CloudEvent event) {
        if (closed) {
            return new CompletableFuture<>();
        }
        return CompletableFuture.supplyAsync(() -> handler.handle(event), executor)
                .thenCompose(handled -> handled);
    }

    private CompletableFuture<Void> giveUp(
            String source, Incoming message, String type, String id, String reason, Throwable error) {
        if (closed) {
            return new CompletableFuture<>();
        }
        return addDeadLetter(source, message, type, id, reason, error)
                .handle((letter, failure) -> failure)
                .thenCompose(failure -> {
                    if (failure == null) {
                        listener.deadLettered(subscriber, reason);
                        LOG.atWarn()
                                .addKeyValue("subscriber", subscriber)
                                .addKeyValue("messageId", id)
                                .addKeyValue("reason", reason)
                                .addKeyValue("error", DeadLetter.firstLine(cause(error)))
                                .log("message moved to the dead letters");
                        return CompletableFuture.<Void>completedFuture(null);
                    }
                    LOG.warn("dead letter not stored; retrying", failure);
                    return after(DEAD_LETTER_RETRY)
                            .thenCompose(nothing -> giveUp(source, message, type, id, reason, error));
                });
    }

    private CompletableFuture<String> addDeadLetter(
            String source, Incoming message, String type, String id, String reason, Throwable error) {
        try {
            return deadLetters.add(new DeadLetter.Failed(
                    channel(subscriber) + ':' + id,
                    channel(subscriber),
                    source,
                    type,
                    reason,
                    DeadLetter.firstLine(cause(error)),
                    message.headers().get(),
                    message.data(),
                    message.base64()));
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private CompletableFuture<Void> after(Duration pause) {
        return CompletableFuture.runAsync(
                () -> {}, CompletableFuture.delayedExecutor(pause.toMillis(), TimeUnit.MILLISECONDS, executor));
    }

    private static Throwable cause(Throwable error) {
        return error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
    }
}
