package io.caravanserai.deadletter;

import java.util.concurrent.CompletableFuture;

/** Where those who receive messages put what they cannot handle. */
@FunctionalInterface
public interface DeadLetterSink {

    /** Completes with the letter's id once it is kept durably: only then may the message be acknowledged. */
    CompletableFuture<String> add(DeadLetter.Failed failed);
}
