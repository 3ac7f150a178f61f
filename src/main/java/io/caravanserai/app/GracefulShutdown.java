package io.caravanserai.app;

import io.caravanserai.http.BoundedHttpServer;
import io.caravanserai.http.HttpApi;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * The first thing to happen when the hub stops: no new work is taken, what is nearly done ends, and who still waits for
 * an order is told how it stands. What is not done by then is in the store, and the next start goes on with it.
 */
record GracefulShutdown(OrderModule core, BoundedHttpServer http, HttpApi api) implements AutoCloseable {
    private static final Duration TO_END = Duration.ofSeconds(1);
    private static final Duration TO_ANSWER = Duration.ofSeconds(2);
    private static final Duration POLL = Duration.ofMillis(10);

    @Override
    public void close() {
        http.stopAccepting();
        core.recovery.close();
        waitFor(TO_END, () -> api.inFlight() == 0 && core.entry.inFlight() == 0);
        core.outcomes.release();
        waitFor(TO_ANSWER, () -> api.inFlight() == 0);
    }

    private static void waitFor(Duration patience, BooleanSupplier done) {
        long end = System.nanoTime() + patience.toNanos();
        while (!done.getAsBoolean() && System.nanoTime() < end) {
            LockSupport.parkNanos(POLL.toNanos());
        }
    }
}
