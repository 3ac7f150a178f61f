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
 * Ends the process after a signal: with exit status 0 after SIGTERM, because a requested stop is no failure, and within
 * {@link #LIMIT} of any signal, even if a part hangs.
 */
public final class ProcessExit {
    /** Below the grace period of 30 s in the contract and on container platforms. */
    static final Duration LIMIT = Duration.ofSeconds(27);

    private static final Logger LOG = LoggerFactory.getLogger(ProcessExit.class);

    private ProcessExit() {}

    /**
     * Closes the hub when the process receives a signal.
     * @param starting completed once the hub has started, or has failed to start
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
            // A start takes seconds; a hub that is still starting cannot be closed.
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
     * The handler of Java ends the process with status 143. Every Java supports the class that replaces the handler,
     * but the compiler warns of direct use, hence the reflection. A Java without the class, or started with -Xrs, keeps
     * status 143.
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
