package io.caravanserai.app;

import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import io.caravanserai.support.PeriodicTask;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Deletes old data: once an hour, in small units, so that orders do not wait. */
final class RetentionJobs implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RetentionJobs.class);

    /** Delay after a start: messages in flight before the start must still find all marks. */
    private static final long FIRST_MINUTES = 10;

    private static final long MINUTES = 60;
    private static final long BREATH_MILLIS = 50;

    private final Store store;
    private final Map<String, Chore> chores = new LinkedHashMap<>();
    private final List<Runnable> outsideTheStore = new ArrayList<>();
    private volatile PeriodicTask passes;

    /** A retention job. */
    @FunctionalInterface
    interface Chore {
        /** Deletes some rows in a small unit of work; returns false when no rows are left. */
        boolean some(Transaction tx) throws SQLException;
    }

    RetentionJobs(Store store) {
        this.store = store;
    }

    /** @param name of the units of work */
    RetentionJobs with(String name, Chore chore) {
        chores.put(name, chore);
        return this;
    }

    /** Adds a job outside the store. */
    RetentionJobs also(Runnable chore) {
        outsideTheStore.add(chore);
        return this;
    }

    RetentionJobs start() {
        passes = PeriodicTask.start(
                "retention", Duration.ofMinutes(FIRST_MINUTES), Duration.ofMinutes(MINUTES), this::pass);
        return this;
    }

    private void pass() {
        chores.keySet().forEach(name -> pass(name, () -> toItsEnd(name)));
        outsideTheStore.forEach(chore -> pass("outside-the-store", chore::run));
    }

    private interface Work {
        void run() throws Exception;
    }

    /** A failed job keeps neither other jobs nor the next pass from running. */
    private static void pass(String name, Work work) {
        try {
            work.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Throwable e) {
            LOG.atWarn().addKeyValue("chore", name).setCause(e).log("retention job failed; will retry");
        }
    }

    /** Runs all jobs to completion. */
    void runOnce() throws Exception {
        for (String name : chores.keySet()) {
            toItsEnd(name);
        }
        outsideTheStore.forEach(Runnable::run);
    }

    private void toItsEnd(String name) throws Exception {
        while (store.write(name, name, chores.get(name)::some).get(30, TimeUnit.SECONDS)) {
            TimeUnit.MILLISECONDS.sleep(BREATH_MILLIS);
        }
    }

    @Override
    public void close() {
        if (passes != null) {
            passes.close();
        }
    }
}
