package io.caravanserai.store;

import io.caravanserai.support.PrivateFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;

/** The tables of the database. Flyway makes and changes them; to ask it takes some tenths of a second of a start. */
final class Schema {
    /** The newest of the migrations. SQLite keeps a number in the head of its file for those who have a use for it. */
    static final int NEWEST = 41;

    private Schema() {}

    /**
     * Has a new database begin as a copy, where there is none yet, nor the log of one: SQLite would take what is in that
     * for this one's.
     *
     * @param empty a database without rows, of this or an earlier schema, that nobody has open
     */
    static void begin(Path database, Path empty) {
        Path log = database.resolveSibling(database.getFileName() + "-wal");
        if (Files.exists(database) || Files.exists(log) || !Files.exists(empty)) {
            return;
        }
        Path copy = database.resolveSibling(database.getFileName() + ".new");
        try {
            Files.deleteIfExists(copy);
            PrivateFiles.createFile(copy);
            try (FileChannel source = FileChannel.open(empty, StandardOpenOption.READ);
                    FileChannel target = FileChannel.open(copy, StandardOpenOption.WRITE)) {
                source.transferTo(0, source.size(), target);
            }
            try (FileChannel written = FileChannel.open(copy, StandardOpenOption.WRITE)) {
                written.force(true);
            }
            // The name is durable with the first commit: SQLite syncs the folder when it has made its log there.
            Files.move(copy, database, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Brings the tables up to {@link #NEWEST}.
     *
     * @throws IllegalStateException when a later hub has made them
     */
    static void bringUp(DataSource database) throws SQLException {
        int version = version(database);
        if (version > NEWEST) {
            throw new IllegalStateException("it belongs to a later hub (its tables are of version " + version
                    + ", this hub's of " + NEWEST + ")");
        }
        if (version == NEWEST) {
            return;
        }
        Flyway.configure()
                .dataSource(database)
                // One transaction for all of them: a new database is there sooner, and whole or not at all.
                .group(true)
                .locations("classpath:db")
                .placeholders(Map.of(
                        "sequence", "INTEGER PRIMARY KEY AUTOINCREMENT",
                        "ascending", "INTEGER PRIMARY KEY",
                        "clustered", "WITHOUT ROWID"))
                .load()
                .migrate();
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA user_version = " + NEWEST);
        }
    }

    private static int version(DataSource database) throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet version = statement.executeQuery("PRAGMA user_version")) {
            version.next();
            return version.getInt(1);
        }
    }
}
