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

/**
 * The tables of the database, created and migrated by Flyway. The version check here avoids Flyway at start, which
 * costs some tenths of a second.
 */
final class Schema {
    /**
     * The version of the newest migration. Stored as SQLite user_version, an application-defined number in the file
     * header.
     */
    static final int NEWEST = 41;

    private Schema() {}

    /**
     * Seeds a new database from a template. Skipped if the database or its -wal exists, because SQLite would replay a
     * stale WAL into the copy.
     *
     * @param template a database without rows, of this or an earlier schema, without open connections
     */
    static void seed(Path database, Path template) {
        Path log = database.resolveSibling(database.getFileName() + "-wal");
        if (Files.exists(database) || Files.exists(log) || !Files.exists(template)) {
            return;
        }
        Path copy = database.resolveSibling(database.getFileName() + ".new");
        try {
            Files.deleteIfExists(copy);
            PrivateFiles.createFile(copy);
            try (FileChannel source = FileChannel.open(template, StandardOpenOption.READ);
                    FileChannel target = FileChannel.open(copy, StandardOpenOption.WRITE)) {
                source.transferTo(0, source.size(), target);
            }
            try (FileChannel written = FileChannel.open(copy, StandardOpenOption.WRITE)) {
                written.force(true);
            }
            // The first commit makes the new name durable: SQLite syncs the folder after creating the log there.
            Files.move(copy, database, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Migrates the tables to {@link #NEWEST}.
     *
     * @throws IllegalStateException when the tables are of a newer schema version
     */
    static void migrate(DataSource database) throws SQLException {
        int version = version(database);
        if (version > NEWEST) {
            throw new IllegalStateException("the schema belongs to a later hub (version " + version
                    + "; this hub supports up to " + NEWEST + ")");
        }
        if (version == NEWEST) {
            return;
        }
        Flyway.configure()
                .dataSource(database)
                // One transaction for all migrations: faster for a new database, and all or nothing.
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
