package io.caravanserai.intake;

import io.caravanserai.intake.OrderMessages.Taken;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Submits the order that a route has made from one received message. Called by {@code orders:submit}. */
@FunctionalInterface
interface Submission {

    /**
     * Submits an order. Completes when the order is durable, or is refused. Fails when nothing has happened and the
     * message must be taken again.
     *
     * @param order the order as JSON
     * @param part position of the order in a message that the route has split; empty when the message is one order
     */
    CompletableFuture<Taken> submit(
            byte[] order, Optional<String> style, Optional<String> idempotencyKey, Optional<Integer> part);
}
