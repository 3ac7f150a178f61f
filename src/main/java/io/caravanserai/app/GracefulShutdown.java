package io.caravanserai.app;

import io.caravanserai.http.BoundedHttpServer;
import io.caravanserai.http.HttpApi;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * The first step of a stop: accepts no new work, waits briefly for orders in flight, and answers the requests that
 * still wait for an order with the current state. Unfinished work is in the store, and the next start resumes the work.
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
