package io.caravanserai.ingress;

import io.caravanserai.inbox.IdempotencyKeys;
import io.caravanserai.order.OrderStyle;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** What became of a valid order at the entry. */
public sealed interface Submission {

    /**
     * It is durable, and on its way.
     *
     * @param ended completes when the order has ended and that is durable; empty unless the sender waits for it.
     *     Complete it to wait no longer
     */
    record Accepted(String orderId, Optional<CompletableFuture<Void>> ended) implements Submission {}

    /** Its id is known, with the same order: nothing was done. */
    record Known(String orderId) implements Submission {}

    /** Its id is known, with another order: nothing was done. */
    record OtherOrder(String orderId) implements Submission {}

    /** Its idempotency key came before, with the same request: nothing was done. */
    record Repeated(IdempotencyKeys.Entry first) implements Submission {}

    /** Its idempotency key came before, with another request: nothing was done. */
    record KeyReused() implements Submission {}

    /** No flow for the style runs: nothing was done. */
    record NoFlow(OrderStyle style) implements Submission {}
}
