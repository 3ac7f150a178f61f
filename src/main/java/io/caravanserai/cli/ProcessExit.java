package io.caravanserai.cli;

import io.caravanserai.app.Hub;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the process when it is told to stop: with exit status 0 after SIGTERM, for a stop that was asked for is no failure,
 * and within {@link #LIMIT} of any signal, whatever still hangs.
 */
public final class ProcessExit {
    /** Below the 30 s that the contract and container platforms give. */
    static final Duration LIMIT = Duration.ofSeconds(27);

    private static final Logger LOG = LoggerFactory.getLogger(ProcessExit.class);

    private ProcessExit() {}

    /**
     * Arranges for the hub to be closed when the process is told to stop.
     *
     * @param starting completed once the hub has started, or has failed to
     */
    public static void closeOnExit(CompletableFuture<Hub> starting) {
        exitWithZeroOnTerm();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(starting), "stop"));
    }

    private static void close(CompletableFuture<Hub> starting) {
        if (starting.isCompletedExceptionally()) {
            return;
        }
        long deadline = System.nanoTime() + LIMIT.toNanos();
        Thread limit = new Thread(() -> haltAt(deadline), "stop-limit");
        limit.setDaemon(true);
        limit.start();
        try {
            // A start is short; parts that are half open cannot be closed.
            starting.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS).close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.debug("told to stop before the hub had started", e);
        }
    }

    private static void haltAt(long deadline) {
        try {
            TimeUnit.NANOSECONDS.sleep(deadline - System.nanoTime());
        } catch (InterruptedException e) {
            return;
        }
        LOG.warn("the hub did not stop in time; the process ends without it, the next start goes on from the store");
        Runtime.getRuntime().halt(0);
    }

    /**
     * Java's own handler ends the process with status 143. The class that can replace it is supported in every Java and
     * still warned of by the compiler, hence the reflection; a Java without it, or one started with -Xrs, keeps its own.
     */
    private static void exitWithZeroOnTerm() {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object exit = Proxy.newProxyInstance(
                    handler.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                        if (method.getName().equals("handle")) {
                            System.exit(0);
                        }
                        return null;
                    });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance("TERM"), exit);
        } catch (ReflectiveOperationException | IllegalArgumentException e) {
            LOG.debug("SIGTERM keeps Java's own exit status", e);
        }
    }
}
