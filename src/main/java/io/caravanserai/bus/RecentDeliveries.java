package io.caravanserai.bus;

import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The deliveries of one subscriber that are in flight or ended a moment ago: the same event in another version, or
 * delivered again after a lost connection, shares the delivery. Thread-safe.
 */
final class RecentDeliveries {
    private static final int MAX_REMEMBERED = 2_048;

    /**
     * Less than the half minute after which recovery repeats the last event of an order that does not go on: a
     * subscriber then hears the event again, though it has handled it.
     */
    static final Duration REMEMBERED_FOR = Duration.ofSeconds(20);

    private final LongSupplier nanos;
    private final Map<String, Started> byKey = new LinkedHashMap<>();

    /** @param since when the delivery began */
    private record Started(CompletableFuture<Void> done, long since) {}

    /** @param nanos as {@link System#nanoTime} */
    RecentDeliveries(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /** The recent delivery of that key, else the one that {@code start} begins. */
    synchronized CompletableFuture<Void> shared(String key, Supplier<CompletableFuture<Void>> start) {
        Started before = byKey.get(key);
        if (before != null && !isOld(before)) {
            return before.done();
        }
        CompletableFuture<Void> done = start.get();
        byKey.remove(key);
        byKey.put(key, new Started(done, nanos.getAsLong()));
        if (byKey.size() > MAX_REMEMBERED) {
            Iterator<Started> eldest = byKey.values().iterator();
            eldest.next();
            eldest.remove();
        }
        return done;
    }

    private boolean isOld(Started delivery) {
        return delivery.done().isDone() && nanos.getAsLong() - delivery.since() > REMEMBERED_FOR.toNanos();
    }

    /** An event that was given up has had no effect: when it comes again it is to be tried again. */
    synchronized void forget(String key) {
        byKey.remove(key);
    }
}
