package io.caravanserai.store;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinWorkerThread;
import java.util.concurrent.TimeUnit;

/**
 * The embedded store: SQLite with a write-ahead log that is synced at each commit, one writer, a few readers.
 *
 * <p>A folder belongs to one hub at a time, ensured by a {@link FolderLock}.
 */
public final class SqliteStore implements Store {
    /** The file name of the database in the folder. */
    public static final String FILE = "hub.db";

    private static final int READERS = 2;
    private static final int COMPLETION_THREADS = 16;

    /** Empty when the caller of {@link #open(FolderLock, Optional, List)} owns the lock. */
    private final Optional<FolderLock> ownLock;

    /**
     * Runs the callbacks of callers. A callback may itself wait for the store, for example an idempotent consumer in a
     * flow. A ForkJoinPool replaces a waiting thread, so that the awaited result can still be delivered.
     */
    private final ExecutorService completions =
            new ForkJoinPool(COMPLETION_THREADS, SqliteStore::completionThread, null, true);

    private final Database database;
    private final GroupCommit writer;
    private final Readers readers;

    private SqliteStore(Optional<FolderLock> ownLock, Database database, List<StoreListener> given) {
        this.ownLock = ownLock;
        this.database = database;
        List<StoreListener> listeners = new ArrayList<>(given);
        ServiceLoader.load(StoreListener.class).forEach(listeners::add);
        this.readers = new Readers(
                READERS, database, completions, failure -> writerOf(this).readerFailed(failure));
        this.writer = new GroupCommit("store-writer", database, readers::pausedFor, completions, listeners).start();
    }

    /** Defers the access of the readers to the writer, which is created after the readers. */
    private static GroupCommit writerOf(SqliteStore store) {
        return store.writer;
    }

    /**
     * Opens the database {@link #FILE} of a folder; creates or migrates the database where needed.
     *
     * @throws StoreUnavailableException when the folder cannot be used; the message contains the reason
     */
    public static SqliteStore open(Path folder) {
        FolderLock lock = FolderLock.take(folder);
        try {
            return open(folder, Optional.of(lock), Optional.empty(), List.of());
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /**
     * Opens the database of a folder that the caller has locked. The caller must keep the lock until the store is
     * closed.
     *
     * @param template a database without rows, from which a new database is copied; the file may be missing
     * @param listeners called before the listeners found by {@link ServiceLoader}
     */
    public static SqliteStore open(FolderLock lock, Optional<Path> template, List<StoreListener> listeners) {
        return open(lock.folder(), Optional.empty(), template, listeners);
    }

    private static SqliteStore open(
            Path folder, Optional<FolderLock> ownLock, Optional<Path> template, List<StoreListener> listeners) {
        try {
            return new SqliteStore(ownLock, SqliteDatabase.open(folder.resolve(FILE), template), listeners);
        } catch (RuntimeException | SQLException | IOException e) {
            throw new StoreUnavailableException(
                    "the database in " + folder.toAbsolutePath() + " (hub.data.dir) cannot be opened: " + root(e), e);
        }
    }

    /** The message of the root cause: the outer messages repeat the same text on several lines. */
    private static String root(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage();
    }

    private static ForkJoinWorkerThread completionThread(ForkJoinPool pool) {
        ForkJoinWorkerThread thread = new ForkJoinWorkerThread(pool) {};
        thread.setName("store-done-" + thread.getId());
        // Independent of the creating thread: flows load classes and resources through this class loader.
        thread.setContextClassLoader(SqliteStore.class.getClassLoader());
        return thread;
    }

    @Override
    public <T> CompletableFuture<T> write(String name, String key, UnitOfWork<T> work) {
        return writer.submit(name, work);
    }

    @Override
    public <T> CompletableFuture<T> read(UnitOfWork<T> query) {
        return readers.submit(query);
    }

    @Override
    public <T> CompletableFuture<T> list(UnitOfWork<T> query) {
        return readers.submitList(query);
    }

    @Override
    public Optional<String> unavailableReason() {
        return writer.unavailableReason();
    }

    @Override
    public long logBytes() {
        return database.logBytes();
    }

    @Override
    public int pending() {
        return writer.pending();
    }

    @Override
    public void close() {
        // Close the readers first: the connection of the writer must close last.
        readers.close();
        writer.close();
        completions.shutdown();
        try {
            completions.awaitTermination(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        ownLock.ifPresent(FolderLock::close);
    }
}
