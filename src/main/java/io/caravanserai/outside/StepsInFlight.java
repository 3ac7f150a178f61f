package io.caravanserai.outside;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** The calls of steps that are being sent or answered, by order (or saga): nothing is undone while one of them is. Thread-safe. */
final class StepsInFlight {
    private final Map<String, Set<CompletableFuture<?>>> bySubject = new ConcurrentHashMap<>();

    /** Counts a call of the order or saga until it has ended. */
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

    /** Completes when the calls of the order or saga that are under way now have ended; never exceptionally. */
    CompletableFuture<Void> ended(String subject) {
        CompletableFuture<?>[][] now = {{}};
        bySubject.computeIfPresent(subject, (id, calls) -> {
            now[0] = calls.toArray(CompletableFuture<?>[]::new);
            return calls;
        });
        return CompletableFuture.allOf(now[0]).exceptionally(failure -> null);
    }
}
