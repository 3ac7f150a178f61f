package io.caravanserai.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one writer of a connection: takes all units that wait, runs them in one transaction, commits once, then tells
 * whoever waits. The more units wait, the fewer commits each costs.
 */
final class GroupCommit implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);
    private static final int MOST_UNITS_PER_COMMIT = 512;

    private final BlockingQueue<Unit<?>> queue = new LinkedBlockingQueue<>();
    private final ConnectionSource source;
    private final Executor completions;
    private final List<StoreListener> listeners;
    private final Thread thread;
    private JdbcTransaction transaction;
    private volatile String trouble;
    private volatile boolean closed;
    private volatile boolean finished;

    /** Opens a fresh connection for the writer, with auto-commit off. */
    @FunctionalInterface
    interface ConnectionSource {
        Connection open() throws SQLException;
    }

    GroupCommit(String name, ConnectionSource source, Executor completions, List<StoreListener> listeners) {
        this.source = source;
        this.completions = completions;
        this.listeners = listeners;
        this.thread = new Thread(this::run, name);
    }

    GroupCommit start() {
        thread.start();
        return this;
    }

    <T> CompletableFuture<T> submit(String name, UnitOfWork<T> work) {
        Unit<T> unit = new Unit<>(name, work);
        queue.add(unit);
        if (finished) {
            refuseTheRest();
        }
        return unit.future;
    }

    /** After the writer's end, tells those who came too late. */
    private void refuseTheRest() {
        for (Unit<?> unit = queue.poll(); unit != null; unit = queue.poll()) {
            unit.fail(new StoreUnavailableException("the store is closed: the hub is stopping", null));
            unit.tell();
        }
    }

    Optional<String> trouble() {
        return Optional.ofNullable(trouble);
    }

    int pending() {
        return queue.size();
    }

    private void run() {
        List<Unit<?>> batch = new ArrayList<>(MOST_UNITS_PER_COMMIT);
        while (!closed || !queue.isEmpty()) {
            try {
                batch.add(queue.take());
                queue.drainTo(batch, MOST_UNITS_PER_COMMIT - 1);
                commit(batch);
            } catch (InterruptedException e) {
                // Only close() interrupts: what is queued is still written before the loop ends.
                LOG.debug("writer woken to close");
            } catch (Throwable e) {
                // A writer that dies would hang every caller; this must not happen, so it is loud.
                LOG.error("the store's writer failed unexpectedly", e);
                batch.forEach(unit -> unit.fail(e));
            }
            if (!batch.isEmpty()) {
                tell(List.copyOf(batch));
                batch.clear();
            }
        }
        disconnect();
        finished = true;
        refuseTheRest();
    }

    /** Waking those who hear of it takes time, too, and the writer has more to write: one of them wakes the others. */
    private void tell(List<Unit<?>> batch) {
        completions.execute(() -> {
            batch.subList(1, batch.size()).forEach(unit -> completions.execute(unit::tell));
            batch.get(0).tell();
        });
    }

    private void commit(List<Unit<?>> batch) {
        List<String> names = batch.stream().map(unit -> unit.name).toList();
        try {
            long began = System.nanoTime();
            if (transaction == null) {
                transaction = new JdbcTransaction(source.open());
            }
            if (!runTogether(batch)) {
                for (Unit<?> unit : batch) {
                    runAlone(unit);
                }
            }
            listeners.forEach(listener -> listener.beforeCommit(names));
            transaction.connection().commit();
            trouble = null;
            long nanos = System.nanoTime() - began;
            listeners.forEach(listener -> listener.afterCommit(names, nanos));
        } catch (SQLException e) {
            StoreUnavailableException cause =
                    new StoreUnavailableException("the database cannot be written: " + e.getMessage(), e);
            trouble = cause.getMessage();
            batch.forEach(unit -> unit.fail(cause));
            LOG.atError().addKeyValue("units", batch.size()).setCause(e).log("units rolled back");
            disconnect();
            listeners.forEach(listener -> listener.failed(names, e));
        }
    }

    /** Runs all units without a safety net, for units seldom fail; false, with all of them undone, when one did. */
    private boolean runTogether(List<Unit<?>> batch) throws SQLException {
        for (Unit<?> unit : batch) {
            try {
                unit.run(transaction);
            } catch (Exception e) {
                throwIfTroubleOfTheDatabase(e);
                transaction.takeAfterCommit();
                transaction.connection().rollback();
                return false;
            }
        }
        return true;
    }

    /** Runs one unit so that its failure undoes it alone; throws only when the database itself is in trouble. */
    private <T> void runAlone(Unit<T> unit) throws SQLException {
        Connection connection = transaction.connection();
        Savepoint before = connection.setSavepoint();
        try {
            unit.run(transaction);
        } catch (Exception e) {
            throwIfTroubleOfTheDatabase(e);
            transaction.takeAfterCommit();
            unit.fail(e);
            connection.rollback(before);
        }
        connection.releaseSavepoint(before);
    }

    private static void throwIfTroubleOfTheDatabase(Exception e) throws SQLException {
        if (e instanceof SQLException failure && isTroubleOfTheDatabase(failure)) {
            throw failure;
        }
    }

    /** Whether the database rather than the unit is at fault: full or failing disk, locked file, lost connection. */
    private static boolean isTroubleOfTheDatabase(SQLException e) {
        return SqliteTrouble.is(e)
                || e.getSQLState() != null
                        && (e.getSQLState().startsWith("08")
                                || e.getSQLState().startsWith("53")
                                || e.getSQLState().startsWith("57")
                                || e.getSQLState().startsWith("58"));
    }

    /** The next batch opens a new connection: after trouble nothing of the old one is to be trusted. */
    private void disconnect() {
        if (transaction == null) {
            return;
        }
        try (JdbcTransaction last = transaction) {
            last.connection().rollback();
        } catch (SQLException e) {
            LOG.debug("closing a connection in trouble", e);
        }
        transaction = null;
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static final class Unit<T> {
        private final String name;
        private final UnitOfWork<T> work;
        private final CompletableFuture<T> future = new CompletableFuture<>();
        private T result;
        private Throwable failure;
        private List<Runnable> afterCommit = List.of();

        Unit(String name, UnitOfWork<T> work) {
            this.name = name;
            this.work = work;
        }

        void run(JdbcTransaction transaction) throws SQLException {
            result = work.run(transaction);
            afterCommit = transaction.takeAfterCommit();
            failure = null;
        }

        void fail(Throwable cause) {
            failure = cause;
            afterCommit = List.of();
        }

        void tell() {
            for (Runnable action : afterCommit) {
                try {
                    action.run();
                } catch (RuntimeException e) {
                    LOG.atError().addKeyValue("unit", name).setCause(e).log("an action after a commit failed");
                }
            }
            if (failure == null) {
                future.complete(result);
            } else {
                future.completeExceptionally(failure);
            }
        }
    }
}
