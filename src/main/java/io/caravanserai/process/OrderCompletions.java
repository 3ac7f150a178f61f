package io.caravanserai.process;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** Lets callers wait for the end of an order. Holds only awaited orders. Thread-safe. */
public final class OrderCompletions {
    private final Map<String, Set<CompletableFuture<Void>>> awaited = new ConcurrentHashMap<>();

    /**
     * Returns a future that completes when the order and its saga have ended and both ends are durable. Call before the
     * order enters its flow. To stop waiting, complete the future, for example with a timeout.
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

    /** Completes all waiting futures at the stop of the hub. The callers then read the current state of the order. */
    public void release() {
        awaited.values().forEach(waiting -> waiting.forEach(one -> one.complete(null)));
    }

    /** Completes the futures that wait for the order. */
    public void ended(String orderId) {
        Set<CompletableFuture<Void>> waiting = awaited.remove(orderId);
        if (waiting != null) {
            waiting.forEach(each -> each.complete(null));
        }
    }
}
