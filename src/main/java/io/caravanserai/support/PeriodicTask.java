package io.caravanserai.support;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a piece of work again and again in a daemon thread of its own, until {@link #close}. No exception and no error of
 * one run ends the following runs. Thread-safe.
 */
public final class PeriodicTask implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PeriodicTask.class);

    private final ScheduledExecutorService timer;

    private PeriodicTask(ScheduledExecutorService timer) {
        this.timer = timer;
    }

    /** One run. An {@link InterruptedException} means that the task was closed. */
    @FunctionalInterface
    public interface Work {
        void run() throws Exception;
    }

    /**
     * Starts a task.
     *
     * @param name of the thread and in the log
     * @param firstDelay before the first run
     * @param interval from the end of a run to the beginning of the next
     */
    public static PeriodicTask start(String name, Duration firstDelay, Duration interval, Work work) {
        PeriodicTask task = new PeriodicTask(timer(name));
        task.timer.scheduleWithFixedDelay(
                surviving(name, work), firstDelay.toNanos(), interval.toNanos(), TimeUnit.NANOSECONDS);
        return task;
    }

    /** A timer with one daemon thread, for owners of several tasks; see {@link #surviving}. */
    public static ScheduledExecutorService timer(String name) {
        return Executors.newSingleThreadScheduledExecutor(run -> {
            Thread thread = new Thread(run, name);
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Work for an executor that drops periodic work after an exception, as {@link ScheduledExecutorService} does. A
     * failure is logged, and again when a different failure follows or a run succeeded in between.
     */
    public static Runnable surviving(String name, Work work) {
        return new Surviving(name, work);
    }

    private static final class Surviving implements Runnable {
        private final String name;
        private final Work work;
        private String lastFailure = "";

        Surviving(String name, Work work) {
            this.name = name;
            this.work = work;
        }

        @Override
        public void run() {
            try {
                work.run();
                lastFailure = "";
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (Throwable e) {
                boolean same = e.toString().equals(lastFailure);
                lastFailure = e.toString();
                (same ? LOG.atDebug() : LOG.atWarn())
                        .addKeyValue("task", name)
                        .setCause(e)
                        .log("periodic task failed; will retry");
            }
        }
    }

    /** Ends the task and interrupts a run in progress. */
    @Override
    public void close() {
        timer.shutdownNow();
    }
}
