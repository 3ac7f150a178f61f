package io.caravanserai.process;

import io.caravanserai.inbox.IdempotencyKeys;
import io.caravanserai.order.OrderStyle;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The result of submitting a valid order. */
public sealed interface SubmitResult {

    /**
     * The order is durable and has entered its flow.
     * @param ended completes when the order has ended and the end is durable; empty unless the sender waits. Complete
     *     the future to stop waiting
     */
    record Accepted(String orderId, Optional<CompletableFuture<Void>> ended) implements SubmitResult {}

    /** An equal order with the same id exists. Nothing has changed. */
    record Known(String orderId) implements SubmitResult {}

    /** Another order with the same id exists. Nothing has changed. */
    record OtherOrder(String orderId) implements SubmitResult {}

    /** The idempotency key was used before, with the same request. Nothing has changed. */
    record Repeated(IdempotencyKeys.Entry first) implements SubmitResult {}

    /** The idempotency key was used before, with another request. Nothing has changed. */
    record KeyReused() implements SubmitResult {}

    /** The style has no active flow. Nothing has changed. */
    record NoFlow(OrderStyle style) implements SubmitResult {}
}
