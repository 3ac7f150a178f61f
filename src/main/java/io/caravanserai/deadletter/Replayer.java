package io.caravanserai.deadletter;

import java.util.concurrent.CompletableFuture;

/** Sends a dead letter back to the source. */
@FunctionalInterface
public interface Replayer {

    /**
     * Replays a dead letter with the original headers, ids and body. Completes when the message was handled, or, where
     * handling cannot be observed, when the message was sent. Fails when the message failed again. Fails with a
     * {@link TargetUnavailableException} when the message could not be sent or the result is unknown: a later replay is
     * allowed, and the message is still handled once.
     */
    CompletableFuture<Void> replay(DeadLetter letter);

    /** Removes the original message from the place where the message was found, because the dead letter is deleted. */
    default CompletableFuture<Void> discard(DeadLetter letter) {
        return CompletableFuture.completedFuture(null);
    }
}
