package io.caravanserai.support;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread for a loop that must not end before it is told to. When the loop ends early, by an exception, an error or by
 * itself, {@link #unavailableReason} says so and the loop is started again. Thread-safe.
 */
public final class LoopThread {
    private static final Logger LOG = LoggerFactory.getLogger(LoopThread.class);
    private static final long RESTART_MILLIS = 1_000;

    /** A health check that looks every few seconds must see a loop that ends again and again. */
    private static final long TOLD_NANOS = Duration.ofSeconds(10).toNanos();

    private final String name;
    private final Runnable loop;
    private final BooleanSupplier mayEnd;
    private Thread thread;
    private volatile String failure;
    private volatile long failedAt;

    /**
     * @param name of the thread
     * @param loop runs until it is told to end
     * @param mayEnd whether the loop has been told to end
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
        failure = "the loop " + name + " ended" + (error == null ? "" : ": " + error);
        failedAt = System.nanoTime();
        LOG.atError().addKeyValue("loop", name).setCause(error).log("loop ended unexpectedly; restarting");
        try {
            TimeUnit.MILLISECONDS.sleep(RESTART_MILLIS);
        } catch (InterruptedException e) {
            LOG.debug("loop woken before its restart");
        }
    }

    /**
     * Why the loop is not, or was not a moment ago, at work; empty while all is well. A thread that is gone altogether is
     * replaced by asking.
     */
    public Optional<String> unavailableReason() {
        if (replaceDeadThread()) {
            failure = "the thread " + name + " was gone";
            failedAt = System.nanoTime();
        }
        return Optional.ofNullable(failure).filter(told -> System.nanoTime() - failedAt < TOLD_NANOS);
    }

    private synchronized boolean replaceDeadThread() {
        if (thread == null || thread.isAlive() || mayEnd.getAsBoolean()) {
            return false;
        }
        start();
        return true;
    }

    /** Wakes the loop from whatever it waits for. */
    public synchronized void interrupt() {
        if (thread != null) {
            thread.interrupt();
        }
    }

    /** Whether the caller is the loop itself. */
    public synchronized boolean isCurrent() {
        return Thread.currentThread() == thread;
    }

    /** Waits for the end of a loop that has been told to end; an interrupted caller waits no longer. */
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
