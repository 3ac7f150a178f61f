package io.caravanserai.intake;

import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.http.Problem;
import io.caravanserai.intake.OrderMessages.Incoming;
import io.caravanserai.intake.OrderMessages.NoFlowException;
import io.caravanserai.intake.OrderMessages.Taken;
import io.caravanserai.jms.ReplyAddress;
import io.caravanserai.process.MessageName;
import io.caravanserai.support.MessageHeaders;
import io.caravanserai.support.Utf8;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * One delivery of a message on its way through a route to the intake of orders. The orders that the route makes of the
 * message get names that are the same at every delivery.
 */
final class RoutedMessage implements Submission {
    /** Two orders with one name would be taken for the same order. */
    private static final Taken.Refused AMBIGUOUS = new Taken.Refused(
            "ambiguous-order",
            Problem.of(
                    422,
                    "the route submits two orders from one message that cannot be told apart;"
                            + " submit each from a split of the message"));

    private final OrderMessages orders;
    private final Incoming message;
    /** The last attempt to submit each order of the message, by the suffix of its name; in the order of the first. */
    private final Map<String, CompletableFuture<Taken>> submitted = new LinkedHashMap<>();

    private RoutedMessage(OrderMessages orders, Incoming message) {
        this.orders = orders;
        this.message = message;
    }

    /**
     * Takes a message through a route. Completes when the message is done with. Fails when the message must be taken
     * again: the store, a flow, a broker or the route itself is away.
     */
    static CompletableFuture<Taken> take(
            OrdersConsumer route, Map<String, String> headers, OrderMessages orders, Incoming message) {
        Optional<Taken.Refused> refused = orders.refusedUnread(message);
        if (refused.isPresent()) {
            return CompletableFuture.completedFuture(refused.get());
        }
        RoutedMessage routed = new RoutedMessage(orders, message);
        return route.run(routed.body(), routed.headers(headers), routed)
                .handle((nothing, failure) -> failure)
                .thenCompose(failure -> failure == null ? routed.ended() : routed.failed(route, failure));
    }

    /**
     * The result of a route that has ended well. A route may handle a failed attempt, or a splitter may leave it out: the
     * message is still taken again, or refused, unless a later attempt has succeeded.
     */
    private CompletableFuture<Taken> ended() {
        List<CompletableFuture<Taken>> last;
        synchronized (submitted) {
            last = List.copyOf(submitted.values());
        }
        return CompletableFuture.allOf(last.toArray(CompletableFuture[]::new))
                .thenApply(nothing -> last.stream()
                        .map(CompletableFuture::join)
                        .filter(Taken.Refused.class::isInstance)
                        .findFirst()
                        .orElseGet(() -> last.isEmpty()
                                ? new Taken.Nothing()
                                : last.get(0).join()));
    }

    private Object body() {
        Optional<String> text = Utf8.text(message.body());
        return text.isPresent() ? text.get() : message.body();
    }

    private Map<String, String> headers(Map<String, String> received) {
        Map<String, String> headers = new HashMap<>(received);
        headers.keySet().removeIf(name -> MessageHeaders.isOfTheHub(name) || MessageHeaders.isOfCamel(name));
        // A JMS producer in the route would ask for answers there.
        headers.remove(ReplyAddress.HEADER);
        headers.remove(OrdersComponent.STYLE);
        headers.remove(OrdersComponent.IDEMPOTENCY_KEY);
        message.style().ifPresent(style -> headers.put(OrdersComponent.STYLE, style));
        message.idempotencyKey().ifPresent(key -> headers.put(OrdersComponent.IDEMPOTENCY_KEY, key));
        return headers;
    }

    private CompletableFuture<Taken> failed(OrdersConsumer route, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof OrderRefusedException refused) {
            return CompletableFuture.completedFuture(refused.refused());
        }
        boolean isAway = DeadLetters.isAway(cause) || cause instanceof NoFlowException || !route.isRunAllowed();
        return isAway
                ? CompletableFuture.failedFuture(cause)
                : CompletableFuture.completedFuture(new Taken.Refused(
                        "flow-error",
                        Problem.of(
                                500, "the route " + route.getRouteId() + " failed: " + DeadLetter.firstLine(cause))));
    }

    @Override
    public CompletableFuture<Taken> submit(
            byte[] order, Optional<String> style, Optional<String> key, Optional<Integer> part) {
        String suffix = part.map(number -> "#" + number).orElse("");
        synchronized (submitted) {
            CompletableFuture<Taken> earlier = submitted.get(suffix);
            if (earlier != null && !mayFollow(earlier)) {
                CompletableFuture<Taken> ambiguous = CompletableFuture.completedFuture(AMBIGUOUS);
                submitted.put(suffix + "#again", ambiguous);
                return ambiguous;
            }
            CompletableFuture<Taken> taken = take(order, style, key, suffix);
            submitted.put(suffix, taken);
            return taken;
        }
    }

    /** Whether another attempt may follow: the earlier attempt has ended and has made no order. */
    private static boolean mayFollow(CompletableFuture<Taken> earlier) {
        return earlier.isCompletedExceptionally()
                || earlier.isDone() && earlier.join() instanceof Taken.Refused refused && refused != AMBIGUOUS;
    }

    private CompletableFuture<Taken> take(byte[] order, Optional<String> style, Optional<String> key, String suffix) {
        boolean isWhole = suffix.isEmpty();
        MessageName name =
                isWhole ? message.name() : MessageName.of(message.name().text() + suffix);
        // A part is compared by its own text, a whole message by the text that was received.
        byte[] received = isWhole ? message.body() : order;
        return orders.take(
                new Incoming(name, order, received, key.map(given -> given + suffix), style, message.traceparent()));
    }
}
