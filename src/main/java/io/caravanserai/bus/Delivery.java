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
 * Takes messages of one subscriber from whatever transport to its handler: reads and checks them, keeps those of one
 * order in line, tries again, and gives up to the dead letters. Thread-safe.
 */
public final class Delivery {
    private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);

    private static final Duration DEAD_LETTER_RETRY = Duration.ofSeconds(1);
    private static final Duration KEEP_TRYING_EVERY = Duration.ofSeconds(2);
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
     * What a transport brought.
     *
     * @param id of the message, for a message that turns out to be no event
     * @param attributes by their CloudEvents names
     * @param headers all of the message, asked for only when it becomes a dead letter
     * @param data null when there is none
     * @param base64 whether the data is base64, because it was not text: then it is no event
     */
    public record Incoming(
            String id,
            Map<String, String> attributes,
            Supplier<Map<String, String>> headers,
            String data,
            boolean base64) {}

    /**
     * @param executor runs the handler; a handler may block it
     * @param verifier tells which events are to be handled at all
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
     * Delivers a message. The future completes, never exceptionally, once the message is done with: handled, or durable
     * as a dead letter. It never completes when this is closed before that.
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
        // Who publishes under an id that is known must not keep its event from being heard.
        String key = event.id() + '/' + event.type() + '/' + event.orderId();
        return recent.shared(
                key,
                () -> inLine(event.orderId(), () -> ifRecorded(event, 1))
                        .handle((nothing, error) -> error)
                        .thenCompose(error -> error == null
                                ? CompletableFuture.<Void>completedFuture(null)
                                : giveUp(source, message, event.type().name(), event.id(), "handler-failed", error)
                                        .thenRun(() -> recent.forget(key))));
    }

    /** Keeps a message that cannot be handled, whatever it is, among the dead letters; completes as {@link #deliver}. */
    public CompletableFuture<Void> setAside(String source, Incoming message, Throwable failure) {
        return giveUp(source, message, message.attributes().get("type"), message.id(), NOT_HANDLED, failure);
    }

    /** Delivers an event once more, in line with the others of its order; fails when the handler does. */
    public CompletableFuture<Void> redeliver(Map<String, String> attributes, String data) {
        try {
            CloudEvent event = read(attributes, data);
            return inLine(
                    event.orderId(),
                    () -> verifier.recorded(event)
                            .thenCompose(recorded -> recorded.map(this::once)
                                    .orElseGet(() -> CompletableFuture.failedFuture(new IllegalArgumentException(
                                            "the hub has not recorded the event " + event.id() + " of the order "
                                                    + event.orderId() + ", so nothing follows from it")))));
        } catch (InvalidEventException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** Nothing that waits is begun or tried again after this. */
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

    private CompletableFuture<Void> inLine(String orderId, Work work) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        CompletableFuture<Void> before = lanes.put(orderId, done);
        Runnable begin = () -> begun(work).whenComplete((nothing, error) -> {
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

    /** Handles the event as the hub has recorded it; one that it has not recorded is done with. */
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
                                .log("event cannot be looked up in the log at present, trying again");
                    }
                    return after(retry.pauseAfter(attempt)).thenCompose(nothing -> ifRecorded(event, attempt + 1));
                })
                .thenCompose(handled -> handled);
    }

    /** Work that throws must not leave those behind it waiting for its end. */
    private static CompletableFuture<Void> begun(Work work) {
        try {
            return work.begin();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** @param outages attempts in a row that found a part of the hub away, and are not counted */
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
            // One line for an event, however often it is tried: when it is given up there is another.
            LOG.atLevel(attempt == 1 ? Level.WARN : Level.DEBUG)
                    .addKeyValue("subscriber", subscriber)
                    .addKeyValue("orderId", event.orderId())
                    .addKeyValue("type", event.type())
                    .addKeyValue("attempt", attempt)
                    .addKeyValue("error", DeadLetter.firstLine(cause(error)))
                    .log("event not handled, trying again");
            return after(retry.pauseAfter(attempt)).thenCompose(nothing -> attempt(event, attempt + 1, 0));
        });
    }

    private CompletableFuture<Void> keepTrying(CloudEvent event, int attempt, Throwable error) {
        return handler.keepsTrying(event).exceptionally(unknown -> false).thenCompose(keep -> {
            if (!keep || closed) {
                return CompletableFuture.<Void>failedFuture(error);
            }
            listener.retrying(subscriber, event, attempt, error);
            return after(KEEP_TRYING_EVERY).thenCompose(nothing -> attempt(event, attempt + 1, 0));
        });
    }

    /** What is away says so itself, in the log and at ready: no attempt is counted, nor a line written for each event. */
    private CompletableFuture<Void> afterOutage(CloudEvent event, int attempt, int outages, Throwable error) {
        LOG.atDebug()
                .addKeyValue("subscriber", subscriber)
                .addKeyValue("orderId", event.orderId())
                .addKeyValue("error", DeadLetter.firstLine(error))
                .log("event not handled while a part of the hub is away, trying again");
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
        return kept(source, message, type, id, reason, error)
                .handle((letter, failure) -> failure)
                .thenCompose(failure -> {
                    if (failure == null) {
                        listener.deadLettered(subscriber, reason);
                        LOG.atWarn()
                                .addKeyValue("subscriber", subscriber)
                                .addKeyValue("messageId", id)
                                .addKeyValue("reason", reason)
                                .addKeyValue("error", DeadLetter.firstLine(cause(error)))
                                .log("message given up to the dead letters");
                        return CompletableFuture.<Void>completedFuture(null);
                    }
                    LOG.warn("a dead letter could not be kept, trying again", failure);
                    return after(DEAD_LETTER_RETRY)
                            .thenCompose(nothing -> giveUp(source, message, type, id, reason, error));
                });
    }

    private CompletableFuture<String> kept(
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
