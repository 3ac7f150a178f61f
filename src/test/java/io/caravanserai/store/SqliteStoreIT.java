package io.caravanserai.store;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SqliteStoreIT extends StoreContract {
    private static final String SET = "INSERT INTO stock (sku, on_hand) VALUES (?, ?)";

    @TempDir
    Path folder;

    private Store store;

    @BeforeEach
    void open() {
        store = SqliteStore.open(folder);
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Override
    protected Store store() {
        return store;
    }

    @Test
    void aSecondHubOnTheSameFolderIsRefused() {
        assertThatThrownBy(() -> SqliteStore.open(folder))
                .isInstanceOf(StoreUnavailableException.class)
                .hasMessageContaining("hub.data.dir")
                .hasMessageContaining("another hub");
    }

    @Test
    void aFileLockedByAnotherProgramIsReportedAndRecoversAfterUnlock() throws Exception {
        try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("hub.db"));
                Statement statement = other.createStatement()) {
            statement.execute("BEGIN IMMEDIATE");

            CompletableFuture<Integer> refused = store.write("set", "a", tx -> tx.update(SET, "a", 1));

            assertThatThrownBy(() -> refused.get(60, SECONDS)).hasCauseInstanceOf(StoreUnavailableException.class);
            assertThat(store.unavailableReason()).isPresent();
            statement.execute("ROLLBACK");
        }

        assertThat(store.write("set", "a", tx -> tx.update(SET, "a", 1)).get(60, SECONDS))
                .isEqualTo(1);
        assertThat(store.unavailableReason()).isEmpty();
    }

    @Test
    void aLogHeldByAnotherProgramIsTruncatedOnceThatProgramEnds() throws Exception {
        long usual = 64L << 20;
        try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("hub.db"));
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.executeQuery("SELECT COUNT(*) FROM stock").close();
            for (int i = 0; store.logBytes() < 3 * usual; i++) {
                String sku = i + "-" + "x".repeat(1 << 20);
                store.write("set", "a", tx -> tx.update(SET, sku, 1)).get(60, SECONDS);
            }
        }

        await().untilAsserted(() -> {
            store.write("touch", "a", tx -> tx.update("DELETE FROM stock WHERE sku = 'none'"))
                    .get(60, SECONDS);
            assertThat(store.logBytes()).isLessThan(usual);
        });
    }

    @Test
    void aFolderThatCannotBeWrittenIsNamed() throws Exception {
        Path file = Files.writeString(folder.resolve("not-a-folder"), "");

        assertThatThrownBy(() -> SqliteStore.open(file))
                .isInstanceOf(StoreUnavailableException.class)
                .hasMessageContaining("hub.data.dir");
    }

    @Test
    void unitsSubmittedBeforeCloseAreWritten() throws Exception {
        CompletableFuture<Integer> last = store.write("set", "a", tx -> tx.update(SET, "a", 1));

        store.close();

        assertThat(last.get(60, SECONDS)).isEqualTo(1);
        assertThatThrownBy(() ->
                        store.write("set", "b", tx -> tx.update(SET, "b", 1)).get(60, SECONDS))
                .hasCauseInstanceOf(StoreUnavailableException.class);
        store = SqliteStore.open(folder);
    }

    @Test
    void aFullDiskIsReportedAndTheUnitHasNoEffect() throws Exception {
        store.write("limit", "a", tx -> tx.first("PRAGMA page_count", row -> row.getInt(1)))
                .thenCompose(pages -> store.write(
                        "limit",
                        "a",
                        tx -> tx.first("PRAGMA max_page_count = " + (pages.orElseThrow() + 8), row -> row.getInt(1))))
                .get(60, SECONDS);
        String large = "x".repeat(100_000);

        CompletableFuture<Integer> refused = store.write("set", "a", tx -> tx.update(SET, large, 1));

        assertThatThrownBy(() -> refused.get(60, SECONDS))
                .hasCauseInstanceOf(StoreUnavailableException.class)
                .hasMessageContaining("full");
        assertThat(store.unavailableReason()).isPresent();
        assertThat(store.read(tx -> tx.list("SELECT sku FROM stock", row -> row.getString(1)))
                        .get(60, SECONDS))
                .isEmpty();
    }
}
