package io.caravanserai.intake;

import io.caravanserai.intake.OrderMessages.Incoming;
import io.caravanserai.process.MessageName;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.Message;

/**
 * Orders that a flow submits from a message of its own, such as a file or an HTTP request. Such a message has no name
 * that is the same at every delivery: an order without an {@code orderId} and without the header {@code idempotencyKey}
 * is a new order at every delivery. Thread-safe.
 */
public final class FlowOrders {
    private final OrderMessages orders;
    private final Supplier<String> ids;

    public FlowOrders(OrderMessages orders, Supplier<String> ids) {
        this.orders = orders;
        this.ids = ids;
    }

    Submission submission(Message message) {
        Optional<String> traceparent = Optional.ofNullable(message.getHeader("traceparent", String.class));
        return (order, style, key, part) ->
                orders.take(new Incoming(MessageName.of("flow:" + ids.get()), order, key, style, traceparent));
    }
}
