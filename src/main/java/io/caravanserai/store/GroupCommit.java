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
 * The one writer of a database: takes all units that wait, runs them in one transaction, commits once, then tells
 * whoever waits. The more units wait, the fewer commits each costs.
 *
 * <p>After a failure that condemns the files every unit is refused until the writer has replaced them.
 */
final class GroupCommit implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);
    private static final int MAX_UNITS_PER_COMMIT = 512;

    /** Beyond that the disk does not keep up, and each further unit would take memory and wait in vain. */
    private static final int MAX_WAITING_UNITS = 20_000;

    /** A commit that has taken so long may never end. */
    private static final Duration STALLED = Duration.ofSeconds(15);

    private static final long PROBE_MILLIS = 1_000;
    private static final long FIRST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 10_000;

    private final BlockingQueue<QueuedUnit<?>> queue = new LinkedBlockingQueue<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final OutageLog outage = new OutageLog(LOG, "database");
    private final Database database;
    private final Exclusion readers;
    private final Executor completions;
    private final List<StoreListener> listeners;
    private final Thread thread;
    private JdbcTransaction transaction;
    private volatile String trouble;
    /** Why the files are not to be trusted; null while they are. */
    private volatile String condemned;

    /** When the writer took the units it is busy with; 0 while it waits for units. */
    private volatile long busySince;

    private volatile boolean closed;
    private volatile boolean finished;

    /** Runs an action while no reader has a connection. */
    @FunctionalInterface
    interface Exclusion {
        void withoutReaders(FileAction action) throws IOException;
    }

    /** Something done to files. */
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
        Optional<String> reason = refusal();
        if (reason.isPresent()) {
            return CompletableFuture.failedFuture(new StoreUnavailableException(reason.get()));
        }
        QueuedUnit<T> unit = new QueuedUnit<>(name, work);
        queue.add(unit);
        if (finished) {
            refuseWaiting("the store is closed: the hub is stopping");
        }
        return unit.future();
    }

    /** Why no unit is taken at present. */
    private Optional<String> refusal() {
        String reason = condemned;
        if (reason != null) {
            return Optional.ofNullable(trouble).or(() -> Optional.of(reason));
        }
        if (queue.size() >= MAX_WAITING_UNITS) {
            return Optional.of("the database cannot be written as fast as is asked for: " + MAX_WAITING_UNITS
                    + " units of work wait already");
        }
        return stalled();
    }

    private Optional<String> stalled() {
        long since = busySince;
        Duration busy = since == 0 ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - since);
        return busy.compareTo(STALLED) < 0
                ? Optional.empty()
                : Optional.of(
                        "the disk of the database (hub.data.dir) has not answered for " + busy.toSeconds() + " s");
    }

    private void refuseWaiting(String reason) {
        for (QueuedUnit<?> unit = queue.poll(); unit != null; unit = queue.poll()) {
            unit.fail(new StoreUnavailableException(reason));
            unit.tell();
        }
    }

    Optional<String> unavailableReason() {
        return Optional.ofNullable(trouble).or(this::stalled);
    }

    int pending() {
        return queue.size();
    }

    /** To be told of failures that others than the writer have met. */
    void met(SQLException failure) {
        if (condemned == null && database.condemns(failure)) {
            condemn(failure);
            queue.add(QueuedUnit.nothing());
        }
    }

    private synchronized void condemn(SQLException failure) {
        if (condemned == null) {
            database.condemn(failure);
            trouble = "an I/O error has hit the database (hub.data.dir): " + failure.getMessage()
                    + "; it is being rebuilt from what was committed";
            condemned = trouble;
            outage.failed(trouble);
        }
    }

    private void run() {
        List<QueuedUnit<?>> batch = new ArrayList<>(MAX_UNITS_PER_COMMIT);
        while (!closed || !queue.isEmpty()) {
            try {
                QueuedUnit<?> first = trouble == null ? queue.take() : queue.poll(PROBE_MILLIS, TimeUnit.MILLISECONDS);
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
                // A writer that dies would hang every caller; this must not happen, so it is loud.
                LOG.error("the store's writer failed unexpectedly", e);
                batch.forEach(unit -> unit.fail(e));
            }
            if (!batch.isEmpty()) {
                tell(List.copyOf(batch));
                batch.clear();
            }
            maintain();
            busySince = 0;
            rebuildWhenCondemned();
        }
        end();
        finished = true;
        refuseWaiting("the store is closed: the hub is stopping");
    }

    private void write(List<QueuedUnit<?>> batch) {
        if (condemned != null) {
            StoreUnavailableException refused = new StoreUnavailableException(trouble);
            batch.forEach(unit -> unit.fail(refused));
        } else if (!batch.isEmpty()) {
            commit(batch);
        }
    }

    /** Waking those who hear of it takes time, too, and the writer has more to write: one of them wakes the others. */
    private void tell(List<QueuedUnit<?>> batch) {
        completions.execute(() -> {
            batch.subList(1, batch.size()).forEach(unit -> completions.execute(unit::tell));
            batch.get(0).tell();
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
            trouble = null;
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

    /** Finds out that the trouble is over when nobody has anything to write. */
    private void probe() {
        try {
            if (transaction == null) {
                transaction = new JdbcTransaction(database.openWriter());
            }
            database.begin(transaction.connection());
            database.touch(transaction.connection());
            database.commit(transaction.connection());
            trouble = null;
            outage.worked();
        } catch (SQLException e) {
            rolledBack(e, "the database cannot be written: " + e.getMessage());
        }
    }

    private void rolledBack(SQLException failure, String reason) {
        if (database.condemns(failure)) {
            condemn(failure);
            // The connection stays: it does not see what was written to the log and not committed.
            undo();
        } else {
            trouble = reason;
            outage.failed(reason + "; it is tried again with the next unit of work");
            disconnect();
        }
    }

    /** Runs all units without a safety net, for units seldom fail; false, with all of them undone, when one did. */
    private boolean runTogether(List<QueuedUnit<?>> batch) throws SQLException {
        for (QueuedUnit<?> unit : batch) {
            try {
                unit.run(transaction);
            } catch (Exception e) {
                throwIfTroubleOfTheDatabase(e);
                transaction.takeAfterCommit();
                database.rollback(transaction.connection());
                database.begin(transaction.connection());
                return false;
            }
        }
        return true;
    }

    /** Runs one unit so that its failure undoes it alone; throws only when the database itself is in trouble. */
    private <T> void runAlone(QueuedUnit<T> unit) throws SQLException {
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
                // What was committed is in the log, which only grows on: the next commit tries again.
                LOG.atDebug().setCause(e).log("checkpoint failed; it is tried again after the next commit");
            }
        }
    }

    private void rebuildWhenCondemned() {
        long pause = FIRST_PAUSE_MILLIS;
        while (condemned != null && !rebuild() && !closed) {
            try {
                closing.await(pause, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                LOG.debug("nobody interrupts the writer", e);
            }
            pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
        }
    }

    /** Replaces the files; false when that failed, with nothing lost. */
    private boolean rebuild() {
        try {
            database.copy(transaction == null ? null : transaction.connection());
            readers.withoutReaders(() -> {
                disconnect();
                database.swap();
            });
            transaction = new JdbcTransaction(database.openWriter());
            LOG.info("database rebuilt: every committed unit of work is in new, synced files");
            condemned = null;
            trouble = null;
            outage.worked();
            return true;
        } catch (SQLException | IOException | RuntimeException e) {
            trouble = condemned + "; the rebuild failed and is tried again: " + e.getMessage()
                    + " (it needs a disk that works, and as much room as the database takes)";
            outage.failed(trouble);
            return false;
        }
    }

    private void undo() {
        if (transaction != null) {
            try {
                database.rollback(transaction.connection());
            } catch (SQLException e) {
                LOG.debug("SQLite has rolled back by itself", e);
            }
        }
    }

    /** The next batch opens a new connection: after trouble nothing of the old one is to be trusted. */
    private void disconnect() {
        if (transaction == null) {
            return;
        }
        undo();
        try {
            transaction.close();
        } catch (SQLException e) {
            LOG.debug("closing a connection in trouble", e);
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
            // The last connection that closes would delete the log, which is all that may be on the disk.
            LOG.atError().addKeyValue("error", trouble).log("the next start will rebuild the database");
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
