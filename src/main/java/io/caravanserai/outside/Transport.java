package io.caravanserai.outside;

import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Sends calls to one service. Thread-safe. */
interface Transport extends AutoCloseable {

    /**
     * The content of a call. Used by one attempt only.
     * @param body text, bytes, an object that the transport can write, or null
     */
    record Request(Object body, Map<String, String> headers) {}

    /**
     * An attempt in flight.
     * @param result completes at the latest after the timeout for an answer; a later answer is dropped
     * @param released completes when the attempt holds no resources any more
     */
    record Sending(CompletableFuture<CallResult> result, CompletableFuture<Void> released) {}

    /** Sends a call. Never blocks. */
    Sending send(Request request);

    @Override
    void close();
}
