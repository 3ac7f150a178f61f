package io.caravanserai.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.flywaydb.core.Flyway;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * The embedded store: SQLite with a write-ahead log that is synced at each commit, one writer, a few readers.
 *
 * <p>A folder belongs to one hub at a time; a lock that the operating system drops when the process dies sees to it.
 */
public final class SqliteStore implements Store {
    private static final int READERS = 2;
    private static final int COMPLETION_THREADS = 16;
    private static final int BUSY_MILLIS = 2_000;

    private final FileChannel lockFile;
    private final ExecutorService completions =
            Executors.newFixedThreadPool(COMPLETION_THREADS, new NamedThreads("store-done"));
    private final GroupCommit writer;
    private final Readers readers;

    private SqliteStore(
            FileChannel lockFile, SQLiteDataSource forWriting, SQLiteDataSource forReading, List<StoreListener> given) {
        this.lockFile = lockFile;
        List<StoreListener> listeners = new ArrayList<>(given);
        ServiceLoader.load(StoreListener.class).forEach(listeners::add);
        this.writer = new GroupCommit("store-writer", () -> manualCommit(forWriting), completions, listeners).start();
        this.readers = new Readers(READERS, () -> manualCommit(forReading), completions);
    }

    /**
     * Opens, and where needed creates or migrates, the database {@code hub.db} of a folder.
     *
     * @throws StoreUnavailableException when the folder cannot be used; the message says why
     */
    public static SqliteStore open(Path folder) {
        return open(folder, List.of());
    }

    /** The same with listeners, told before those found by {@link ServiceLoader}. */
    public static SqliteStore open(Path folder, List<StoreListener> listeners) {
        FileChannel lock = lock(folder);
        try {
            SQLiteDataSource forWriting = dataSource(folder, SQLiteConfig.TransactionMode.IMMEDIATE);
            Flyway.configure()
                    .dataSource(forWriting)
                    .locations("classpath:db")
                    .placeholders(Map.of("sequence", "INTEGER PRIMARY KEY AUTOINCREMENT", "clustered", "WITHOUT ROWID"))
                    .load()
                    .migrate();
            return new SqliteStore(
                    lock, forWriting, dataSource(folder, SQLiteConfig.TransactionMode.DEFERRED), listeners);
        } catch (RuntimeException e) {
            close(lock);
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

    private static SQLiteDataSource dataSource(Path folder, SQLiteConfig.TransactionMode mode) {
        SQLiteConfig config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
        config.setTransactionMode(mode);
        config.setBusyTimeout(BUSY_MILLIS);
        config.setCacheSize(-65_536);
        config.enforceForeignKeys(false);
        // Nobody asks for them, and the driver would look each insert over for them.
        config.setGetGeneratedKeys(false);
        SQLiteDataSource source = new SQLiteDataSource(config);
        source.setUrl("jdbc:sqlite:" + folder.resolve("hub.db"));
        return source;
    }

    private static Connection manualCommit(SQLiteDataSource source) throws SQLException {
        Connection connection = source.getConnection();
        try (Statement statement = connection.createStatement()) {
            // Copying the log into the database syncs both: seldom, and then much at once (8,000 pages are 32 MiB).
            statement.execute("PRAGMA wal_autocheckpoint = 8000");
        }
        connection.setAutoCommit(false);
        return connection;
    }

    private static FileChannel lock(Path folder) {
        try {
            Files.createDirectories(folder);
            FileChannel channel =
                    FileChannel.open(folder.resolve("hub.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (!isLocked(channel)) {
                close(channel);
                throw new StoreUnavailableException(
                        "another hub is running on " + folder.toAbsolutePath()
                                + ": stop it, or give this one a folder of its own with hub.data.dir",
                        null);
            }
            return channel;
        } catch (IOException e) {
            throw new StoreUnavailableException(
                    "the folder " + folder.toAbsolutePath() + " (hub.data.dir) cannot be written: " + reason(e), e);
        }
    }

    private static String reason(IOException e) {
        if (e instanceof FileAlreadyExistsException) {
            return "it is no folder";
        }
        return e instanceof AccessDeniedException ? "permission denied" : e.toString();
    }

    private static boolean isLocked(FileChannel channel) throws IOException {
        try {
            // Held until the channel is closed.
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    private static void close(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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
    public Optional<String> trouble() {
        return writer.trouble();
    }

    @Override
    public int pending() {
        return writer.pending();
    }

    @Override
    public void close() {
        writer.close();
        readers.close();
        completions.shutdown();
        try {
            completions.awaitTermination(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        close(lockFile);
    }
}
