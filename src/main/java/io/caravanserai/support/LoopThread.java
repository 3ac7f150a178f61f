package io.caravanserai.support;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread for a loop that must run until a stop is requested. When the loop ends early, by return, exception or error,
 * {@link #unavailableReason} reports the failure and the loop restarts. Thread-safe.
 */
public final class LoopThread {
    private static final Logger LOG = LoggerFactory.getLogger(LoopThread.class);
    private static final long RESTART_MILLIS = 1_000;

    /**
     * A failure stays visible this long: a health check that polls every few seconds must see a loop that ends again
     * and again.
     */
    private static final long FAILURE_VISIBLE_NANOS = Duration.ofSeconds(10).toNanos();

    private final String name;
    private final Runnable loop;
    private final BooleanSupplier mayEnd;
    private Thread thread;
    private volatile String failure;
    private volatile long failedAt;

    /**
     * @param name of the thread
     * @param loop runs until a stop is requested
     * @param mayEnd whether a stop has been requested
     */
    public LoopThread(String name, Runnable loop, BooleanSupplier mayEnd) {
        this.name = name;
        this.loop = loop;
        this.mayEnd = mayEnd;
    }

    /** Starts the loop in a daemon thread. */
    public synchronized void start() {
        thread = new Thread(this::run, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        while (!mayEnd.getAsBoolean()) {
            try {
                loop.run();
                ended(null);
            } catch (Throwable e) {
                ended(e);
            }
        }
    }

    private void ended(Throwable error) {
        if (mayEnd.getAsBoolean()) {
            return;
        }
        failure = "loop " + name + " ended unexpectedly" + (error == null ? "" : ": " + error) + "; restarting";
        failedAt = System.nanoTime();
        LOG.atError().addKeyValue("loop", name).setCause(error).log("loop ended unexpectedly; restarting");
        try {
            TimeUnit.MILLISECONDS.sleep(RESTART_MILLIS);
        } catch (InterruptedException e) {
            LOG.debug("loop restart delay interrupted; restarting now");
        }
    }

    /**
     * Why the loop is not running, or failed in the last 10 s; empty otherwise. The call replaces a thread that has
     * died.
     */
    public Optional<String> unavailableReason() {
        if (replaceDeadThread()) {
            failure = "thread " + name + " died; restarted";
            failedAt = System.nanoTime();
        }
        return Optional.ofNullable(failure).filter(reason -> System.nanoTime() - failedAt < FAILURE_VISIBLE_NANOS);
    }

    private synchronized boolean replaceDeadThread() {
        if (thread == null || thread.isAlive() || mayEnd.getAsBoolean()) {
            return false;
        }
        start();
        return true;
    }

    /** Interrupts the loop thread, for example out of a wait. */
    public synchronized void interrupt() {
        if (thread != null) {
            thread.interrupt();
        }
    }

    /** Whether the current thread is the loop thread. */
    public synchronized boolean isCurrent() {
        return Thread.currentThread() == thread;
    }

    /**
     * Waits until the loop has ended after a requested stop, or until the timeout. An interrupt of the caller ends the
     * wait.
     */
    public void join(Duration atMost) {
        Thread running;
        synchronized (this) {
            running = thread;
        }
        if (running == null || running == Thread.currentThread()) {
            return;
        }
        try {
            running.join(atMost.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
