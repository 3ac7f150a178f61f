package io.caravanserai.deadletter;

import java.util.concurrent.CompletableFuture;

/** Accepts messages that a receiver cannot handle. */
@FunctionalInterface
public interface DeadLetterSink {

    /**
     * Adds a dead letter. Completes with the id when the dead letter is durable. The caller must not acknowledge the
     * message earlier.
     */
    CompletableFuture<String> add(DeadLetter.Failed failed);
}
