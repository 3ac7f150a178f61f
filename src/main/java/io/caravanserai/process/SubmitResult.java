package io.caravanserai.process;

import io.caravanserai.inbox.IdempotencyKeys;
import io.caravanserai.order.OrderStyle;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** What became of a valid order at the entry. */
public sealed interface SubmitResult {

    /**
     * It is durable, and on its way.
     *
     * @param ended completes when the order has ended and that is durable; empty unless the sender waits for it.
     *     Complete it to wait no longer
     */
    record Accepted(String orderId, Optional<CompletableFuture<Void>> ended) implements SubmitResult {}

    /** Its id is known, with the same order: nothing was done. */
    record Known(String orderId) implements SubmitResult {}

    /** Its id is known, with another order: nothing was done. */
    record OtherOrder(String orderId) implements SubmitResult {}

    /** Its idempotency key came before, with the same request: nothing was done. */
    record Repeated(IdempotencyKeys.Entry first) implements SubmitResult {}

    /** Its idempotency key came before, with another request: nothing was done. */
    record KeyReused() implements SubmitResult {}

    /** No flow for the style runs: nothing was done. */
    record NoFlow(OrderStyle style) implements SubmitResult {}
}
