package io.caravanserai.store;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Shares one result among concurrent requests for the same key. The entry is removed once the result is complete.
 * Thread-safe.
 */
public final class SingleFlight<K, T> {
    private final Map<K, CompletableFuture<T>> results = new ConcurrentHashMap<>();

    /**
     * The result of the request in flight for the key; starts a request when there is none.
     *
     * @param begin not called under a lock; when begin throws, all waiting callers get the failure
     */
    public CompletableFuture<T> get(K key, Supplier<CompletableFuture<T>> begin) {
        CompletableFuture<T> own = new CompletableFuture<>();
        CompletableFuture<T> inFlight = results.putIfAbsent(key, own);
        if (inFlight != null) {
            return inFlight;
        }
        started(begin).whenComplete((result, failure) -> {
            results.remove(key, own);
            if (failure == null) {
                own.complete(result);
            } else {
                own.completeExceptionally(failure);
            }
        });
        return own;
    }

    private static <T> CompletableFuture<T> started(Supplier<CompletableFuture<T>> begin) {
        try {
            return begin.get();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }
}
