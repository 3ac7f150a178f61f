package io.caravanserai.service.order;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** Lets callers wait for the end of an order. Thread-safe. Holds only orders somebody waits for. */
public final class Outcomes {
    private final Map<String, CompletableFuture<Void>> awaited = new ConcurrentHashMap<>();

    /**
     * Completes when the order has ended, its saga included, and both are durable. Ask before the order is sent on its
     * way; {@link #forget} it when nobody waits any longer.
     */
    public CompletableFuture<Void> await(String orderId) {
        return awaited.computeIfAbsent(orderId, id -> new CompletableFuture<>());
    }

    /** Nobody waits for the order any longer; those who still do hear nothing. */
    public void forget(String orderId) {
        awaited.remove(orderId);
    }

    /** Tells those who wait that the order has ended. */
    public void ended(String orderId) {
        CompletableFuture<Void> waiting = awaited.remove(orderId);
        if (waiting != null) {
            waiting.complete(null);
        }
    }
}
