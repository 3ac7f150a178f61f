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
 * <p>A folder belongs to one hub at a time; a lock that the operating system drops when the process dies sees to it.
 */
public final class SqliteStore implements Store {
    /** The name of the database in its folder. */
    public static final String FILE = "hub.db";

    private static final int READERS = 2;
    private static final int COMPLETION_THREADS = 16;

    /** Empty when whoever opened the store holds the lock for more than it. */
    private final Optional<FolderLock> ownLock;

    /**
     * Whoever is told here may wait for the store again, as an idempotent consumer in a flow does: this kind of pool then
     * puts another thread in the place of one that waits, so that the answer gets through.
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
                READERS, database, completions, failure -> writerOf(this).met(failure));
        this.writer = new GroupCommit("store-writer", database, readers::pausedFor, completions, listeners).start();
    }

    /** For the readers, which are there before the writer is. */
    private static GroupCommit writerOf(SqliteStore store) {
        return store.writer;
    }

    /**
     * Opens, and where needed creates or migrates, the database {@link #FILE} of a folder.
     *
     * @throws StoreUnavailableException when the folder cannot be used; the message says why
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
     * The same in a folder that the caller has locked, and goes on locking until after the store is closed.
     *
     * @param empty a database without rows, which a new one may begin as a copy of; the file need not be there
     * @param listeners told before those found by {@link ServiceLoader}
     */
    public static SqliteStore open(FolderLock lock, Optional<Path> empty, List<StoreListener> listeners) {
        return open(lock.folder(), Optional.empty(), empty, listeners);
    }

    private static SqliteStore open(
            Path folder, Optional<FolderLock> ownLock, Optional<Path> empty, List<StoreListener> listeners) {
        try {
            return new SqliteStore(ownLock, SqliteDatabase.open(folder.resolve(FILE), empty), listeners);
        } catch (RuntimeException | SQLException | IOException e) {
            throw new StoreUnavailableException(
                    "the database in " + folder.toAbsolutePath() + " (hub.data.dir) cannot be opened: " + root(e), e);
        }
    }

    /** What the driver said; what stands around it repeats it on several lines. */
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
        // Whichever thread had it made: flows look for classes and resources from here.
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
        // The readers first: the writer's connection is the last one that closes.
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
