package io.caravanserai.intake;

import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.http.Problem;
import io.caravanserai.inbox.IdempotencyKeys;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.process.MessageName;
import io.caravanserai.process.OrderIntake;
import io.caravanserai.process.SubmitOrder;
import io.caravanserai.process.SubmitResult;
import io.caravanserai.store.StoreUnavailableException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * Submits orders that arrive as messages, from any transport. A repeated message has one effect: identified by the
 * idempotency key, by the order id, or without both by the name of the message. Thread-safe.
 */
public final class OrderMessages {
    private static final int LARGEST_BODY = 1024 * 1024;
    private static final int LONGEST_KEY = 255;
    private static final int LONGEST_STYLE = 100;
    private static final int ATTEMPTS = 4;

    /** The refusal of a message with a body that is too large to read. */
    static final Taken.Refused TOO_LARGE =
            new Taken.Refused("too-large", Problem.of(413, "the message is larger than 1 MiB"));

    private final OrderReader reader;
    private final OrderIntake entry;
    private final OrderStyle usualStyle;
    private final String ingress;

    /**
     * @param usualStyle default style of messages
     * @param ingress of the messages, for meters
     */
    public OrderMessages(OrderReader reader, OrderIntake entry, OrderStyle usualStyle, String ingress) {
        this.ingress = ingress;
        this.reader = reader;
        this.entry = entry;
        this.usualStyle = usualStyle;
    }

    /**
     * A message with an order.
     * @param name the same for each delivery of the message
     * @param body the order as JSON; null without a body
     * @param received the body as sent, the same for each delivery; differs from {@code body} when a route has mapped
     *     the message
     */
    public record Incoming(
            MessageName name,
            byte[] body,
            byte[] received,
            Optional<String> idempotencyKey,
            Optional<String> style,
            Optional<String> traceparent) {

        /** A message whose body is the order as received. */
        public Incoming(
                MessageName name,
                byte[] body,
                Optional<String> idempotencyKey,
                Optional<String> style,
                Optional<String> traceparent) {
            this(name, body, body, idempotencyKey, style, traceparent);
        }
    }

    /** The result for a message. */
    public sealed interface Taken {

        /** The order is durable, from this or an earlier delivery: the message is done. */
        record Order(String orderId) implements Taken {}

        /**
         * The message is no valid order, finally.
         * @param reason keyword for the dead letter
         * @param problem reply for a sender that waits
         */
        record Refused(String reason, Problem problem) implements Taken {}

        /** The route of the message has ended without an order: the message is done. */
        record Nothing() implements Taken {}
    }

    /** The style has no active flow. The message is accepted once an operator has added the flow. */
    public static final class NoFlowException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NoFlowException(OrderStyle style) {
            super("no flow for the style " + style.wire() + " runs", null, false, false);
        }
    }

    /**
     * Submits a message. A failed future means that nothing has happened and the message must be submitted again later.
     * A fault of the message itself never fails the future.
     */
    public CompletableFuture<Taken> take(Incoming message) {
        return take(message, 1);
    }

    private CompletableFuture<Taken> take(Incoming message, int attempt) {
        return taken(message)
                .<CompletableFuture<Taken>>handle((taken, failure) -> {
                    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
                    if (cause == null) {
                        return CompletableFuture.completedFuture(taken);
                    }
                    if (cause instanceof StoreUnavailableException || cause instanceof NoFlowException) {
                        return CompletableFuture.failedFuture(cause);
                    }
                    return attempt < ATTEMPTS
                            ? later(attempt).thenCompose(nothing -> take(message, attempt + 1))
                            : CompletableFuture.completedFuture(notHandled(cause));
                })
                .thenCompose(taken -> taken);
    }

    /** @param what size and digest of the body, in place of the body */
    static Taken.Refused tooLarge(String what) {
        return new Taken.Refused(
                TOO_LARGE.reason(), Problem.of(413, "the message is larger than 1 MiB, its body is not kept: " + what));
    }

    /** Returns the result for a message that failed although all needed parts are available. */
    static Taken.Refused notHandled(Throwable failure) {
        return new Taken.Refused(
                "not-handled", Problem.of(500, "the message cannot be handled: " + DeadLetter.firstLine(failure)));
    }

    private static CompletableFuture<Void> later(int attempt) {
        return CompletableFuture.runAsync(
                () -> {}, CompletableFuture.delayedExecutor(50L << attempt, TimeUnit.MILLISECONDS));
    }

    private CompletableFuture<Taken> taken(Incoming message) {
        try {
            Optional<Taken.Refused> refused = refusedUnread(message);
            return refused.isPresent() ? CompletableFuture.completedFuture(refused.get()) : read(message);
        } catch (RuntimeException | StackOverflowError e) {
            // Parsing depends on no other part, so a retry would fail as well.
            return CompletableFuture.completedFuture(notHandled(e));
        }
    }

    /** Why the message is refused without being read; empty for most messages. */
    Optional<Taken.Refused> refusedUnread(Incoming message) {
        if (message.style().filter(style -> style.length() > LONGEST_STYLE).isPresent()) {
            return Optional.of(new Taken.Refused(
                    "unknown-style", Problem.badParameter("style", "is longer than " + LONGEST_STYLE + " characters")));
        }
        if (message.idempotencyKey().filter(key -> key.length() > LONGEST_KEY).isPresent()) {
            return Optional.of(new Taken.Refused(
                    "invalid-idempotency-key",
                    Problem.badParameter("idempotencyKey", "is longer than " + LONGEST_KEY + " characters")));
        }
        if (message.body() == null) {
            return Optional.of(new Taken.Refused("no-body", Problem.of(400, "the message has no body of text")));
        }
        return message.body().length > LARGEST_BODY ? Optional.of(TOO_LARGE) : Optional.empty();
    }

    private CompletableFuture<Taken> read(Incoming message) {
        Optional<OrderStyle> style = message.style().isEmpty()
                ? Optional.of(usualStyle)
                : message.style().flatMap(entry::style);
        if (style.isEmpty()) {
            return refused(
                    "unknown-style",
                    Problem.badParameter(
                            "style", "'" + message.style().orElseThrow() + "' is none of " + entry.styleNames()));
        }
        ParseResult reading = reader.read(message.body());
        if (reading instanceof ParseResult.Unreadable unreadable) {
            return refused("invalid-json", Problem.of(400, unreadable.detail()));
        }
        if (reading instanceof ParseResult.Invalid invalid) {
            return refused("invalid-order", Problem.invalid(invalid.faults()));
        }
        ParseResult.Valid valid = (ParseResult.Valid) reading;
        // Each parse generates another order id, so the message name must identify a repeated message.
        boolean isNameless = !valid.namesItself() && message.idempotencyKey().isEmpty();
        SubmitOrder sending = new SubmitOrder(
                valid.order(),
                message.received(),
                style.get(),
                message.idempotencyKey(),
                isNameless ? Optional.of(message.name()) : Optional.empty(),
                message.traceparent(),
                Duration.ZERO,
                ingress);
        return entry.submit(sending)
                .thenApply(submission -> taken(submission, sending.order().orderId()));
    }

    private static Taken taken(SubmitResult submission, String orderId) {
        if (submission instanceof SubmitResult.Accepted accepted) {
            return new Taken.Order(accepted.orderId());
        }
        if (submission instanceof SubmitResult.Known known) {
            return new Taken.Order(known.orderId());
        }
        if (submission instanceof SubmitResult.OtherOrder) {
            return orderExists(orderId);
        }
        if (submission instanceof SubmitResult.Repeated repeated) {
            return repeated.first().orderId().equals(IdempotencyKeys.NO_ORDER)
                    ? orderExists(orderId)
                    : new Taken.Order(repeated.first().orderId());
        }
        if (submission instanceof SubmitResult.NoFlow none) {
            throw new NoFlowException(none.style());
        }
        return new Taken.Refused(
                "idempotency-key-reused", Problem.of(422, "this idempotency key was used with another request"));
    }

    private static Taken.Refused orderExists(String orderId) {
        return new Taken.Refused(
                "order-exists",
                Problem.of(409, "another order has the id " + orderId)
                        .with("orderId", orderId)
                        .with("reason", "order-exists"));
    }

    private static CompletableFuture<Taken> refused(String reason, Problem problem) {
        return CompletableFuture.completedFuture(new Taken.Refused(reason, problem));
    }

    /** Returns the fault as one line of text. */
    public static String error(Taken.Refused refused) {
        Object errors = refused.problem().members().get("errors");
        if (errors instanceof Iterable<?> faults) {
            return refused.problem().detail() + ": "
                    + StreamSupport.stream(faults.spliterator(), false)
                            .limit(10)
                            .map(fault -> fault instanceof Problem.Fault known
                                    ? known.pointer() + " " + known.detail()
                                    : String.valueOf(fault))
                            .collect(Collectors.joining("; "));
        }
        return refused.problem().detail();
    }
}
