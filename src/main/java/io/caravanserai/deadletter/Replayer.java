package io.caravanserai.deadletter;

import java.util.concurrent.CompletableFuture;

/** Sends a dead letter to where it came from. */
@FunctionalInterface
public interface Replayer {

    /**
     * Replays a letter with its headers, ids and body as they were. Completes when it has been handled, or, where that
     * cannot be known, when it has been sent; fails when it failed again, with an
     * {@link TargetUnavailableException} when it could not be tried, or not be heard of: then it may be replayed once more, and is
     * handled once.
     */
    CompletableFuture<Void> replay(DeadLetter letter);

    /** Takes away the message that still lies where the letter was found, because the letter is deleted. */
    default CompletableFuture<Void> discard(DeadLetter letter) {
        return CompletableFuture.completedFuture(null);
    }
}
