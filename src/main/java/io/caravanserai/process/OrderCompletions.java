package io.caravanserai.process;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** Lets callers wait for the end of an order. Thread-safe. Holds only orders somebody waits for. */
public final class OrderCompletions {
    private final Map<String, Set<CompletableFuture<Void>>> awaited = new ConcurrentHashMap<>();

    /**
     * Completes when the order has ended, its saga included, and both are durable. Ask before the order is sent on its
     * way, and complete it in any other way, such as by a time-out, to wait no longer.
     */
    public CompletableFuture<Void> await(String orderId) {
        CompletableFuture<Void> waiting = new CompletableFuture<>();
        awaited.compute(orderId, (id, others) -> {
            Set<CompletableFuture<Void>> all = others == null ? ConcurrentHashMap.newKeySet(1) : others;
            all.add(waiting);
            return all;
        });
        waiting.whenComplete((nothing, failure) -> forget(orderId, waiting));
        return waiting;
    }

    private void forget(String orderId, CompletableFuture<Void> waiting) {
        awaited.computeIfPresent(orderId, (id, all) -> {
            all.remove(waiting);
            return all.isEmpty() ? null : all;
        });
    }

    /** The hub stops: those who wait hear now, and see the order as it stands. */
    public void release() {
        awaited.values().forEach(waiting -> waiting.forEach(one -> one.complete(null)));
    }

    /** Tells those who wait that the order has ended. */
    public void ended(String orderId) {
        Set<CompletableFuture<Void>> waiting = awaited.remove(orderId);
        if (waiting != null) {
            waiting.forEach(each -> each.complete(null));
        }
    }
}
