package io.caravanserai.store;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SchemaIT {
    @TempDir
    Path folder;

    private Path database;

    private Path empty;

    /** The template has a row here, to tell a copy from a database that Flyway created. */
    @BeforeEach
    void open() throws Exception {
        database = folder.resolve("data").resolve(SqliteStore.FILE);
        empty = folder.resolve("kept").resolve(SqliteStore.FILE);
        try (SqliteStore store = SqliteStore.open(empty.getParent())) {
            store.write("set", "a", tx -> tx.update("INSERT INTO stock (sku, on_hand) VALUES ('copied', 1)"))
                    .get(60, SECONDS);
        }
    }

    @Test
    void theVersionIsThatOfTheNewestMigration() throws Exception {
        assertThat(number(empty, "PRAGMA user_version"))
                .isEqualTo(Schema.NEWEST)
                .isEqualTo(number(empty, "SELECT max(CAST(version AS INTEGER)) FROM flyway_schema_history"));
    }

    @Test
    void aNewDatabaseIsACopyOfTheTemplate() throws Exception {
        assertThat(skus(Optional.of(empty))).containsExactly("copied");
        assertThat(database.resolveSibling(SqliteStore.FILE + ".new")).doesNotExist();
    }

    @Test
    void aTemplateOfAnEarlierSchemaIsMigrated() throws Exception {
        run(empty, "ALTER TABLE analytics_live DROP COLUMN building");
        run(empty, "ALTER TABLE sagas DROP COLUMN deadline_by_flow");
        run(empty, "DROP INDEX jms_replies_sent");
        run(empty, "ALTER TABLE jms_replies DROP COLUMN sent_at");
        run(empty, "ALTER TABLE jms_replies DROP COLUMN correlation_bytes");
        run(empty, "DROP TABLE store_secrets");
        run(empty, "DROP TABLE reactions_done");
        run(empty, "DROP TABLE awaited_cancellations");
        run(empty, "DROP TABLE reaction_sagas");
        run(empty, "DROP INDEX orders_without_saga");
        run(empty, "ALTER TABLE orders DROP COLUMN accepted_running");
        run(empty, "DROP TABLE running_time");
        run(empty, "DELETE FROM flyway_schema_history WHERE CAST(version AS INTEGER) >= 12");
        run(empty, "PRAGMA user_version = 11");

        assertThat(skus(Optional.of(empty))).containsExactly("copied");
        assertThat(number(database, "PRAGMA user_version")).isEqualTo(Schema.NEWEST);
        assertThat(number(database, "SELECT count(building) FROM analytics_live"))
                .isZero();
    }

    @Test
    void withoutATemplateFlywayCreatesTheTables() throws Exception {
        assertThat(skus(Optional.of(folder.resolve("missing")))).isEmpty();
    }

    @Test
    void anExistingDatabaseIsNotReplaced() throws Exception {
        skus(Optional.empty());

        assertThat(skus(Optional.of(empty))).isEmpty();
    }

    @Test
    void aCopyInterruptedByACrashIsMadeAgain() throws Exception {
        Files.createDirectories(database.getParent());
        Files.writeString(database.resolveSibling(SqliteStore.FILE + ".new"), "SQLite form");

        assertThat(skus(Optional.of(empty))).containsExactly("copied");
    }

    @Test
    void aStaleWalPreventsTheCopy() throws Exception {
        Files.createDirectories(database.getParent());
        try (SqliteStore another = SqliteStore.open(folder.resolve("another"))) {
            another.write("set", "a", tx -> tx.update("INSERT INTO stock (sku, on_hand) VALUES ('of another', 1)"))
                    .get(60, SECONDS);
            String log = SqliteStore.FILE + "-wal";
            Files.copy(folder.resolve("another").resolve(log), database.resolveSibling(log));
        }

        assertThat(skus(Optional.of(empty))).isEmpty();
    }

    @Test
    void theDatabaseOfALaterHubIsRefused() throws Exception {
        run(empty, "PRAGMA user_version = " + (Schema.NEWEST + 1));

        assertThatThrownBy(() -> SqliteStore.open(empty.getParent()))
                .isInstanceOf(StoreUnavailableException.class)
                .hasMessageContaining("later hub");
    }

    private List<String> skus(Optional<Path> empty) throws Exception {
        try (FolderLock lock = FolderLock.take(database.getParent());
                SqliteStore store = SqliteStore.open(lock, empty, List.of())) {
            return store.read(tx -> tx.list("SELECT sku FROM stock", row -> row.getString(1)))
                    .get(60, SECONDS);
        }
    }

    private static void run(Path database, String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static int number(Path database, String query) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getInt(1);
        }
    }
}
