package io.caravanserai.outside;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Tracks the calls of steps in flight, by order or saga: no compensation is sent while a call of the step is in flight.
 * Thread-safe.
 */
final class StepsInFlight {
    private final Map<String, Set<CompletableFuture<?>>> bySubject = new ConcurrentHashMap<>();

    /** Tracks a call of the order or saga until the call has ended. */
    void add(String subject, CompletableFuture<?> ended) {
        bySubject.compute(subject, (id, calls) -> {
            Set<CompletableFuture<?>> all = calls == null ? new HashSet<>() : calls;
            all.add(ended);
            return all;
        });
        ended.whenComplete((done, failure) -> bySubject.computeIfPresent(subject, (id, calls) -> {
            calls.remove(ended);
            return calls.isEmpty() ? null : calls;
        }));
    }

    /** Completes when the calls of the order or saga that are now in flight have ended; never exceptionally. */
    CompletableFuture<Void> ended(String subject) {
        CompletableFuture<?>[][] now = {{}};
        bySubject.computeIfPresent(subject, (id, calls) -> {
            now[0] = calls.toArray(CompletableFuture<?>[]::new);
            return calls;
        });
        return CompletableFuture.allOf(now[0]).exceptionally(failure -> null);
    }
}
