package io.caravanserai.store;

import io.caravanserai.support.PrivateFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteDataSource;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;
import org.sqlite.SQLiteOpenMode;

/**
 * An SQLite database with a write-ahead log that is synced at each commit. Checkpoints run here: the automatic
 * checkpoints of SQLite do not report failures.
 */
final class SqliteDatabase implements Database {
    private static final Logger LOG = LoggerFactory.getLogger(SqliteDatabase.class);
    private static final int BUSY_MILLIS = 2_000;

    private final DatabaseFiles files;
    private final DataSource forWriting;
    private final DataSource forReading;
    private final Checkpoints checkpoints = new Checkpoints(BUSY_MILLIS, System::nanoTime);
    /** The log of the writer connection; null until first use. */
    private WalFrames writerLog;

    private SqliteDatabase(DatabaseFiles files) {
        this.files = files;
        this.forWriting = dataSource(files.database(), SQLiteConfig.TransactionMode.IMMEDIATE);
        this.forReading = dataSource(files.database(), SQLiteConfig.TransactionMode.DEFERRED);
    }

    /**
     * Opens a database; creates, migrates or rebuilds the database where needed.
     *
     * @param template a database without rows, from which a new database is copied
     */
    static SqliteDatabase open(Path file, Optional<Path> template) throws SQLException, IOException {
        SqliteDatabase database = new SqliteDatabase(new DatabaseFiles(file));
        try {
            database.finishRebuild();
            template.ifPresent(each -> Schema.seed(file, each));
            PrivateFiles.createFile(file);
            // Closing the last connection makes a checkpoint that does not report failures. This extra connection stays
            // open during the migration and then makes a checkpoint that does.
            try (Connection last = database.openWriter()) {
                Schema.migrate(database.forWriting);
                database.settle(last);
            }
            return database;
        } catch (SQLException e) {
            if (database.condemns(e)) {
                database.condemn(e);
            }
            throw e;
        }
    }

    private void finishRebuild() throws SQLException, IOException {
        if (files.hasNext()) {
            swap();
            LOG.info("finished the database rebuild of an earlier process");
        } else if (files.isCondemned() && Files.exists(files.database())) {
            LOG.warn("I/O error in the database during an earlier process; rebuilding the database");
            copy(null);
            swap();
            LOG.info("database rebuilt");
        }
    }

    private static DataSource dataSource(Path file, SQLiteConfig.TransactionMode mode) {
        SQLiteConfig config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
        config.setTransactionMode(mode);
        config.setBusyTimeout(BUSY_MILLIS);
        // KiB. Few pages are in use. At most commits SQLite scans the whole cache, because a page moved in a balanced
        // tree briefly has the highest page number. With 64 MiB the scan took a tenth of the time of the writer.
        config.setCacheSize(-8_192);
        config.enforceForeignKeys(false);
        // A connection is used by one thread at a time, so SQLite needs no mutex.
        config.setOpenMode(SQLiteOpenMode.NOMUTEX);
        // Generated keys are not used; the driver would inspect each insert to provide keys.
        config.setGetGeneratedKeys(false);
        SQLiteDataSource source = new WithoutCheckpoints(config);
        source.setUrl("jdbc:sqlite:" + file);
        return source;
    }

    @Override
    public Connection openWriter() throws SQLException {
        closeLog();
        Connection connection = forWriting.getConnection();
        connection.setAutoCommit(false);
        // The driver has begun a transaction; after this rollback the driver begins no other.
        rollback(connection);
        return connection;
    }

    private void closeLog() {
        if (writerLog != null) {
            try {
                writerLog.close();
            } catch (IOException e) {
                LOG.debug("closing the write-ahead log file failed; ignored", e);
            }
            writerLog = null;
        }
    }

    @Override
    public Connection openReader() throws SQLException {
        Connection connection = forReading.getConnection();
        connection.setAutoCommit(false);
        return connection;
    }

    @Override
    public void begin(Connection writer) throws SQLException {
        execute(writer, "BEGIN IMMEDIATE");
    }

    @Override
    public void commit(Connection writer) throws SQLException {
        execute(writer, "COMMIT");
    }

    @Override
    public void rollback(Connection writer) throws SQLException {
        execute(writer, "ROLLBACK");
    }

    @Override
    public void touch(Connection writer) throws SQLException {
        // The value does not change, but SQLite still writes the page.
        execute(writer, "PRAGMA user_version = " + Schema.NEWEST);
    }

    @Override
    public void maintain(Connection writer) throws SQLException {
        try {
            if (writerLog == null) {
                writerLog = new WalFrames(files.log());
            }
            checkpoints.afterCommit(writer, writerLog);
        } catch (IOException e) {
            throw new SQLiteException(
                    "the write-ahead log cannot be read: " + e.getMessage(), SQLiteErrorCode.SQLITE_IOERR_READ);
        }
    }

    @Override
    public long logBytes() {
        try {
            return Files.size(files.log());
        } catch (IOException e) {
            // The log is missing while the files are replaced.
            return 0;
        }
    }

    @Override
    public void settle(Connection writer) throws SQLException {
        execute(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
    }

    @Override
    public boolean condemns(SQLException failure) {
        return SqliteTrouble.condemnsFiles(failure);
    }

    @Override
    public void condemn(SQLException failure) {
        try {
            files.condemn(String.valueOf(failure.getMessage()));
        } catch (IOException e) {
            LOG.atError()
                    .addKeyValue("error", e.getMessage())
                    .log(
                            "cannot record that the database must be rebuilt; do not stop the hub before the rebuild has finished");
        }
    }

    @Override
    public void copy(Connection last) throws SQLException, IOException {
        try (Connection opened = last == null ? openWriter() : null) {
            Connection source = last == null ? opened : last;
            Path copy = files.beginRebuild();
            execute(source, "VACUUM INTO '" + copy.toString().replace("'", "''") + "'");
            check(copy);
            files.finishNext();
        }
    }

    /** Runs the SQLite integrity check, which reads every page of the new file. */
    private static void check(Path copy) throws SQLException {
        SQLiteDataSource source = new SQLiteDataSource();
        source.setUrl("jdbc:sqlite:" + copy);
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("PRAGMA integrity_check")) {
            String first = result.next() ? result.getString(1) : "no answer";
            if (!first.equals("ok")) {
                throw new SQLiteException(
                        "the rebuilt database is malformed: " + first, SQLiteErrorCode.SQLITE_CORRUPT);
            }
        }
    }

    @Override
    public void swap() throws IOException {
        files.swapInNext();
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Opens connections without automatic checkpoints. */
    private static final class WithoutCheckpoints extends SQLiteDataSource {
        WithoutCheckpoints(SQLiteConfig config) {
            super(config);
        }

        @Override
        public SQLiteConnection getConnection(String user, String password) throws SQLException {
            SQLiteConnection connection = super.getConnection(user, password);
            execute(connection, "PRAGMA wal_autocheckpoint = 0");
            return connection;
        }
    }
}
