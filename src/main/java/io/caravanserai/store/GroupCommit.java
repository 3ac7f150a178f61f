package io.caravanserai.store;

import io.caravanserai.support.OutageLog;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The single writer of a database. The writer takes all queued units, runs them in one transaction, commits once, and
 * then completes the futures of the units. More queued units mean fewer commits per unit.
 *
 * <p>After a failure that condemns the files, every unit is refused until the writer has replaced the files.
 */
final class GroupCommit implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);
    private static final int MAX_UNITS_PER_COMMIT = 512;

    /** Above this number the disk is too slow, and each further unit would use memory and wait in vain. */
    private static final int MAX_QUEUED_UNITS = 20_000;

    /** A commit that takes this long may never end. */
    private static final Duration STALL_TIMEOUT = Duration.ofSeconds(15);

    private static final long PROBE_MILLIS = 1_000;
    private static final long FIRST_PAUSE_MILLIS = 100;
    private static final long MAX_PAUSE_MILLIS = 10_000;

    private final BlockingQueue<QueuedUnit<?>> queue = new LinkedBlockingQueue<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final OutageLog outage = new OutageLog(LOG, "database");
    private final Database database;
    private final Exclusion readers;
    private final Executor completions;
    private final List<StoreListener> listeners;
    private final Thread thread;
    private JdbcTransaction transaction;
    private volatile String outageReason;
    /** The reason why the files are not trusted; null while the files are trusted. */
    private volatile String condemned;

    /** Start of the current work of the writer in {@link System#nanoTime}; 0 while the writer waits for units. */
    private volatile long busySince;

    private volatile boolean closed;
    private volatile boolean finished;

    /** Runs an action while no reader has an open connection. */
    @FunctionalInterface
    interface Exclusion {
        void withoutReaders(FileAction action) throws IOException;
    }

    /** An operation on files. */
    @FunctionalInterface
    interface FileAction {
        void run() throws IOException;
    }

    GroupCommit(
            String name, Database database, Exclusion readers, Executor completions, List<StoreListener> listeners) {
        this.database = database;
        this.readers = readers;
        this.completions = completions;
        this.listeners = listeners;
        this.thread = new Thread(this::run, name);
    }

    GroupCommit start() {
        thread.start();
        return this;
    }

    <T> CompletableFuture<T> submit(String name, UnitOfWork<T> work) {
        Optional<String> reason = refusalReason();
        if (reason.isPresent()) {
            return CompletableFuture.failedFuture(new StoreUnavailableException(reason.get()));
        }
        QueuedUnit<T> unit = new QueuedUnit<>(name, work);
        queue.add(unit);
        if (finished) {
            refuseQueued("store is closed: the hub is stopping");
        }
        return unit.future();
    }

    /** The reason why units are refused at present; empty when units are accepted. */
    private Optional<String> refusalReason() {
        String reason = condemned;
        if (reason != null) {
            return Optional.ofNullable(outageReason).or(() -> Optional.of(reason));
        }
        if (queue.size() >= MAX_QUEUED_UNITS) {
            return Optional.of(
                    "the database is overloaded: " + MAX_QUEUED_UNITS + " units of work are queued; retry later");
        }
        return stallReason();
    }

    private Optional<String> stallReason() {
        long since = busySince;
        Duration busy = since == 0 ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - since);
        return busy.compareTo(STALL_TIMEOUT) < 0
                ? Optional.empty()
                : Optional.of(
                        "the disk of the database (hub.data.dir) has not answered for " + busy.toSeconds() + " s");
    }

    private void refuseQueued(String reason) {
        for (QueuedUnit<?> unit = queue.poll(); unit != null; unit = queue.poll()) {
            unit.fail(new StoreUnavailableException(reason));
            unit.complete();
        }
    }

    Optional<String> unavailableReason() {
        return Optional.ofNullable(outageReason).or(this::stallReason);
    }

    int pending() {
        return queue.size();
    }

    /** Call with database failures outside the writer. */
    void readerFailed(SQLException failure) {
        if (condemned == null && database.condemns(failure)) {
            condemn(failure);
            queue.add(QueuedUnit.nothing());
        }
    }

    private synchronized void condemn(SQLException failure) {
        if (condemned == null) {
            database.condemn(failure);
            outageReason = "I/O error in the database (hub.data.dir): " + failure.getMessage()
                    + "; rebuilding the database from committed data";
            condemned = outageReason;
            outage.failed(outageReason);
        }
    }

    private void run() {
        List<QueuedUnit<?>> batch = new ArrayList<>(MAX_UNITS_PER_COMMIT);
        while (!closed || !queue.isEmpty()) {
            try {
                QueuedUnit<?> first =
                        outageReason == null ? queue.take() : queue.poll(PROBE_MILLIS, TimeUnit.MILLISECONDS);
                busySince = System.nanoTime();
                if (first == null) {
                    probe();
                } else {
                    batch.add(first);
                    queue.drainTo(batch, MAX_UNITS_PER_COMMIT - 1);
                    batch.removeIf(QueuedUnit::isNothing);
                    write(batch);
                }
            } catch (Throwable e) {
                // The writer thread must not die: every caller would wait forever.
                LOG.error("store writer failed unexpectedly; continuing with the next batch", e);
                batch.forEach(unit -> unit.fail(e));
            }
            if (!batch.isEmpty()) {
                complete(List.copyOf(batch));
                batch.clear();
            }
            maintain();
            busySince = 0;
            rebuildWhenCondemned();
        }
        end();
        finished = true;
        refuseQueued("store is closed: the hub is stopping");
    }

    private void write(List<QueuedUnit<?>> batch) {
        if (condemned != null) {
            StoreUnavailableException refused = new StoreUnavailableException(outageReason);
            batch.forEach(unit -> unit.fail(refused));
        } else if (!batch.isEmpty()) {
            commit(batch);
        }
    }

    /**
     * Completes the futures on the completion pool, so that the writer can continue. One pool task schedules the tasks
     * for all other units.
     */
    private void complete(List<QueuedUnit<?>> batch) {
        completions.execute(() -> {
            batch.subList(1, batch.size()).forEach(unit -> completions.execute(unit::complete));
            batch.get(0).complete();
        });
    }

    private void commit(List<QueuedUnit<?>> batch) {
        List<String> names = batch.stream().map(QueuedUnit::name).toList();
        try {
            long began = System.nanoTime();
            if (transaction == null) {
                transaction = new JdbcTransaction(database.openWriter());
            }
            database.begin(transaction.connection());
            if (!runTogether(batch)) {
                for (QueuedUnit<?> unit : batch) {
                    runAlone(unit);
                }
            }
            listeners.forEach(listener -> listener.beforeCommit(names));
            database.commit(transaction.connection());
            outageReason = null;
            outage.worked();
            long nanos = System.nanoTime() - began;
            listeners.forEach(listener -> listener.afterCommit(names, nanos));
        } catch (SQLException e) {
            StoreUnavailableException cause =
                    new StoreUnavailableException("the database cannot be written: " + e.getMessage(), e);
            batch.forEach(unit -> unit.fail(cause));
            rolledBack(e, cause.getMessage());
            listeners.forEach(listener -> listener.failed(names, e));
        }
    }

    /** Tests whether the database is writable again, when no unit is queued. */
    private void probe() {
        try {
            if (transaction == null) {
                transaction = new JdbcTransaction(database.openWriter());
            }
            database.begin(transaction.connection());
            database.touch(transaction.connection());
            database.commit(transaction.connection());
            outageReason = null;
            outage.worked();
        } catch (SQLException e) {
            rolledBack(e, "the database cannot be written: " + e.getMessage());
        }
    }

    private void rolledBack(SQLException failure, String reason) {
        if (database.condemns(failure)) {
            condemn(failure);
            // The connection stays open: uncommitted data in the log is invisible to this connection.
            undo();
        } else {
            outageReason = reason;
            outage.failed(reason + "; retrying with the next unit of work");
            disconnect();
        }
    }

    /**
     * Runs all units without savepoints, because units rarely fail. Returns false, with all units rolled back, when a
     * unit fails.
     */
    private boolean runTogether(List<QueuedUnit<?>> batch) throws SQLException {
        for (QueuedUnit<?> unit : batch) {
            try {
                unit.run(transaction);
            } catch (Exception e) {
                throwIfDatabaseFailure(e);
                transaction.takeAfterCommit();
                database.rollback(transaction.connection());
                database.begin(transaction.connection());
                return false;
            }
        }
        return true;
    }

    /**
     * Runs one unit in a savepoint, so that a failure rolls back only this unit. Throws only on failures of the
     * database.
     */
    private <T> void runAlone(QueuedUnit<T> unit) throws SQLException {
        Connection connection = transaction.connection();
        Savepoint before = connection.setSavepoint();
        try {
            unit.run(transaction);
        } catch (Exception e) {
            throwIfDatabaseFailure(e);
            transaction.takeAfterCommit();
            unit.fail(e);
            connection.rollback(before);
        }
        connection.releaseSavepoint(before);
    }

    private static void throwIfDatabaseFailure(Exception e) throws SQLException {
        if (e instanceof SQLException failure && isDatabaseFailure(failure)) {
            throw failure;
        }
    }

    /**
     * Whether the failure is one of the database, not of the unit: full or failing disk, locked file, lost connection.
     */
    private static boolean isDatabaseFailure(SQLException e) {
        return SqliteTrouble.is(e)
                || e.getSQLState() != null
                        && (e.getSQLState().startsWith("08")
                                || e.getSQLState().startsWith("53")
                                || e.getSQLState().startsWith("57")
                                || e.getSQLState().startsWith("58"));
    }

    private void maintain() {
        if (transaction == null || condemned != null) {
            return;
        }
        try {
            database.maintain(transaction.connection());
        } catch (SQLException e) {
            if (database.condemns(e)) {
                condemn(e);
            } else {
                // The committed data is in the log, which keeps growing; the next commit triggers another attempt.
                LOG.atDebug().setCause(e).log("checkpoint failed; retrying after the next commit");
            }
        }
    }

    private void rebuildWhenCondemned() {
        long pause = FIRST_PAUSE_MILLIS;
        while (condemned != null && !rebuild() && !closed) {
            try {
                closing.await(pause, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                LOG.debug("store writer interrupted; ignored", e);
            }
            pause = Math.min(2 * pause, MAX_PAUSE_MILLIS);
        }
    }

    /** Replaces the files. Returns false on failure; no committed data is lost. */
    private boolean rebuild() {
        try {
            database.copy(transaction == null ? null : transaction.connection());
            readers.withoutReaders(() -> {
                disconnect();
                database.swap();
            });
            transaction = new JdbcTransaction(database.openWriter());
            LOG.info("database rebuilt: all committed data is in new, synced files");
            condemned = null;
            outageReason = null;
            outage.worked();
            return true;
        } catch (SQLException | IOException | RuntimeException e) {
            outageReason = condemned + "; rebuild failed; retrying: " + e.getMessage()
                    + " (the rebuild needs a working disk with free space of the size of the database)";
            outage.failed(outageReason);
            return false;
        }
    }

    private void undo() {
        if (transaction != null) {
            try {
                database.rollback(transaction.connection());
            } catch (SQLException e) {
                LOG.debug("rollback failed; SQLite has already rolled back", e);
            }
        }
    }

    /**
     * Closes the connection. The next batch opens a new connection: the state of the old one is unknown after a
     * failure.
     */
    private void disconnect() {
        if (transaction == null) {
            return;
        }
        undo();
        try {
            transaction.close();
        } catch (SQLException e) {
            LOG.debug("closing a failed connection failed; ignored", e);
        }
        transaction = null;
    }

    private void end() {
        if (transaction != null && condemned == null) {
            try {
                database.settle(transaction.connection());
            } catch (SQLException e) {
                if (database.condemns(e)) {
                    condemn(e);
                    rebuild();
                }
            }
        }
        if (condemned == null) {
            disconnect();
        } else {
            // Do not close the connection: closing the last one deletes the log, which may be the only data on the
            // disk.
            LOG.atError()
                    .addKeyValue("error", outageReason)
                    .log("database not rebuilt before shutdown; the next start will rebuild the database");
        }
    }

    @Override
    public void close() {
        closed = true;
        closing.countDown();
        queue.add(QueuedUnit.nothing());
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
