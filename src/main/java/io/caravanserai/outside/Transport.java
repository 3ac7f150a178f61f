package io.caravanserai.outside;

import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Carries calls to one service. Thread-safe. */
interface Transport extends AutoCloseable {

    /**
     * What is sent. Belongs to one attempt alone.
     *
     * @param body text, bytes, an object that the transport can write, or null
     */
    record Request(Object body, Map<String, String> headers) {}

    /**
     * One attempt.
     *
     * @param result completes at the latest when the time for an answer is over; what comes later is thrown away
     * @param released completes when the attempt holds nothing any more
     */
    record Sending(CompletableFuture<CallResult> result, CompletableFuture<Void> released) {}

    /** Sends a call; never blocks. */
    Sending send(Request request);

    @Override
    void close();
}
