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
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One delivery of a message on its way through a route to the intake of orders. The orders that the route makes of the
 * message get names that are the same at every delivery.
 */
final class RoutedMessage implements Submission {
    private final OrderMessages orders;
    private final Incoming message;
    /** Names of the orders submitted so far: two orders with one name would be taken for the same order. */
    private final Set<String> names = ConcurrentHashMap.newKeySet();

    private volatile Taken first = new Taken.Nothing();

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
                .thenCompose(failure -> failure == null
                        ? CompletableFuture.completedFuture(routed.first)
                        : routed.failed(route, failure));
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
        if (!names.add(suffix)) {
            return CompletableFuture.completedFuture(new Taken.Refused(
                    "ambiguous-order",
                    Problem.of(
                            422,
                            "the route submits two orders from one message that cannot be told apart;"
                                    + " submit each from a split of the message")));
        }
        MessageName name =
                part.isEmpty() ? message.name() : MessageName.of(message.name().text() + suffix);
        // A part is compared by its own text, a whole message by the text that was received.
        byte[] received = part.isEmpty() ? message.body() : order;
        return orders.take(new Incoming(
                        name, order, received, key.map(given -> given + suffix), style, message.traceparent()))
                .thenApply(this::remember);
    }

    private synchronized Taken remember(Taken taken) {
        if (taken instanceof Taken.Order && first instanceof Taken.Nothing) {
            first = taken;
        }
        return taken;
    }
}
