package io.caravanserai.bus;

import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The deliveries of one subscriber that are in flight or ended within {@link #REMEMBERED_FOR}. A second version of the
 * same event, or a redelivery after a lost connection, shares the first delivery. Thread-safe.
 */
final class RecentDeliveries {
    private static final int MAX_REMEMBERED = 2_048;

    /**
     * How long a finished delivery is remembered. Shorter than the 30 seconds after which recovery repeats the last
     * event of a stalled order: the subscriber must receive a repeated event again, although already handled.
     */
    static final Duration REMEMBERED_FOR = Duration.ofSeconds(20);

    private final LongSupplier nanos;
    private final Map<String, Started> byKey = new LinkedHashMap<>();

    /** @param since {@link System#nanoTime} at the start of the delivery */
    private record Started(CompletableFuture<Void> done, long since) {}

    /** @param nanos as {@link System#nanoTime} */
    RecentDeliveries(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /** The recent delivery with the given key, or a new delivery from {@code start}. */
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

    /** Forgets a delivery. A dead-lettered event had no effect, so a redelivery must be handled again. */
    synchronized void forget(String key) {
        byKey.remove(key);
    }
}
