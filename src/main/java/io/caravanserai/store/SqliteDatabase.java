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
 * An SQLite database with a write-ahead log that is synced at each commit. Checkpoints are made here, not by SQLite
 * itself, which says nothing of those that fail.
 */
final class SqliteDatabase implements Database {
    private static final Logger LOG = LoggerFactory.getLogger(SqliteDatabase.class);
    private static final int BUSY_MILLIS = 2_000;

    private final DatabaseFiles files;
    private final DataSource forWriting;
    private final DataSource forReading;
    private final Checkpoints checkpoints = new Checkpoints(BUSY_MILLIS, System::nanoTime);
    /** The log that the writer's connection writes; null until it has written. */
    private WalFrames logOfWriter;

    private SqliteDatabase(DatabaseFiles files) {
        this.files = files;
        this.forWriting = dataSource(files.database(), SQLiteConfig.TransactionMode.IMMEDIATE);
        this.forReading = dataSource(files.database(), SQLiteConfig.TransactionMode.DEFERRED);
    }

    /**
     * Opens, and where needed creates, migrates or rebuilds, a database.
     *
     * @param empty a database without rows, which a new one may begin as a copy of
     */
    static SqliteDatabase open(Path file, Optional<Path> empty) throws SQLException, IOException {
        SqliteDatabase database = new SqliteDatabase(new DatabaseFiles(file));
        try {
            database.finishRebuild();
            empty.ifPresent(template -> Schema.begin(file, template));
            PrivateFiles.createFile(file);
            // The last connection that closes makes a checkpoint whose failure nobody hears of. So there is one more
            // as long as the tables are brought up.
            try (Connection last = database.openWriter()) {
                Schema.bringUp(database.forWriting);
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
            LOG.info("database rebuild of an earlier process finished");
        } else if (files.isCondemned() && Files.exists(files.database())) {
            LOG.warn("an I/O error has hit the database in an earlier process; rebuilding it");
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
        // KiB. The pages in use are few, and at most commits SQLite looks through all it has, for a page that was
        // moved in a balanced tree had the highest number there is for a moment: with 64 MiB that was a tenth of the
        // writer's time.
        config.setCacheSize(-8_192);
        config.enforceForeignKeys(false);
        // A connection belongs to one thread at a time: SQLite need not lock it at each call.
        config.setOpenMode(SQLiteOpenMode.NOMUTEX);
        // Nobody asks for them, and the driver would look each insert over for them.
        config.setGetGeneratedKeys(false);
        SQLiteDataSource source = new WithoutCheckpoints(config);
        source.setUrl("jdbc:sqlite:" + file);
        return source;
    }

    @Override
    public Connection openWriter() throws SQLException {
        forgetLog();
        Connection connection = forWriting.getConnection();
        connection.setAutoCommit(false);
        // The driver has begun a transaction, and begins none after this one.
        rollback(connection);
        return connection;
    }

    private void forgetLog() {
        if (logOfWriter != null) {
            try {
                logOfWriter.close();
            } catch (IOException e) {
                LOG.debug("closing a file that was only read", e);
            }
            logOfWriter = null;
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
        // Written back, the number is the same, and its page is written all the same.
        execute(writer, "PRAGMA user_version = " + Schema.NEWEST);
    }

    @Override
    public void maintain(Connection writer) throws SQLException {
        try {
            if (logOfWriter == null) {
                logOfWriter = new WalFrames(files.log());
            }
            checkpoints.afterCommit(writer, logOfWriter);
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
            // There is none while the files are replaced.
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
                    .log("cannot note that the database must be rebuilt: do not stop the hub before it has been");
        }
    }

    @Override
    public void copy(Connection last) throws SQLException, IOException {
        try (Connection opened = last == null ? openWriter() : null) {
            Connection source = last == null ? opened : last;
            Path copy = files.beginForming();
            execute(source, "VACUUM INTO '" + copy.toString().replace("'", "''") + "'");
            check(copy);
            files.formed();
        }
    }

    /** Asks SQLite to read and compare every page of the new file. */
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
        files.takeNext();
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Connections that leave the log alone when they commit. */
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
