package io.caravanserai.store;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** Does a thing once for all who ask for it while it is under way; forgets it when it is done. Thread-safe. */
public final class SingleFlight<K, T> {
    private final Map<K, CompletableFuture<T>> results = new ConcurrentHashMap<>();

    /**
     * The result of what is under way under that key, begun now when nothing is.
     *
     * @param begin not called under a lock; when it throws, all who asked get that failure
     */
    public CompletableFuture<T> get(K key, Supplier<CompletableFuture<T>> begin) {
        CompletableFuture<T> mine = new CompletableFuture<>();
        CompletableFuture<T> theirs = results.putIfAbsent(key, mine);
        if (theirs != null) {
            return theirs;
        }
        begun(begin).whenComplete((result, failure) -> {
            results.remove(key, mine);
            if (failure == null) {
                mine.complete(result);
            } else {
                mine.completeExceptionally(failure);
            }
        });
        return mine;
    }

    private static <T> CompletableFuture<T> begun(Supplier<CompletableFuture<T>> begin) {
        try {
            return begin.get();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }
}
