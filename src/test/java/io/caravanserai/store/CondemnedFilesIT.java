package io.caravanserai.store;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** The rebuild of the database after an I/O error, when Linux may have dropped written pages. */
class CondemnedFilesIT {
    private static final String SET = "INSERT INTO stock (sku, on_hand) VALUES (?, ?)";
    private static final String ALL = "SELECT sku FROM stock ORDER BY sku";

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

    @Test
    void anIoErrorOfTheWriterReplacesTheFilesWithoutLoss() throws Exception {
        set("before");
        Object inode = inode();

        assertThatThrownBy(() -> fail(SQLiteErrorCode.SQLITE_IOERR_FSYNC)).hasMessageContaining("IOERR_FSYNC");

        await().until(() -> store.unavailableReason().isEmpty());
        assertThat(inode()).as("the file is another one").isNotEqualTo(inode);
        set("after");
        assertThat(all()).containsExactly("after", "before");
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void aMalformedDatabaseFoundByAReaderIsReplaced() throws Exception {
        set("before");
        Object inode = inode();

        CompletableFuture<Void> read = store.read(tx -> {
            throw new SQLiteException("malformed", SQLiteErrorCode.SQLITE_CORRUPT_INDEX);
        });

        assertThatThrownBy(() -> read.get(60, SECONDS)).hasCauseInstanceOf(StoreUnavailableException.class);
        await().until(() -> !inode().equals(inode) && store.unavailableReason().isEmpty());
        assertThat(all()).containsExactly("before");
    }

    @Test
    void aFullDiskDoesNotCondemnTheFiles() throws Exception {
        set("before");
        Object inode = inode();

        assertThatThrownBy(() -> fail(SQLiteErrorCode.SQLITE_FULL)).hasMessageContaining("cannot be written");
        assertThatThrownBy(() -> fail(SQLiteErrorCode.SQLITE_IOERR_SHMSIZE)).hasMessageContaining("cannot be written");

        set("after");
        assertThat(store.unavailableReason()).isEmpty();
        assertThat(inode()).isEqualTo(inode);
    }

    @Test
    void writesAreRefusedWithTheReasonWhileTheRebuildFails() throws Exception {
        set("before");
        Path inTheWay = Files.createDirectories(folder.resolve("hub.db.rebuilding/full"));

        assertThatThrownBy(() -> fail(SQLiteErrorCode.SQLITE_IOERR_WRITE)).hasMessageContaining("IOERR_WRITE");

        await().until(() -> store.unavailableReason().orElse("").contains("rebuild failed"));
        assertThatThrownBy(() -> set("refused"))
                .hasCauseInstanceOf(StoreUnavailableException.class)
                .hasMessageContaining("hub.data.dir")
                .hasMessageContaining("rebuild");
        assertThat(all()).as("what was committed can be read").containsExactly("before");

        Files.delete(inTheWay);
        await().until(() -> store.unavailableReason().isEmpty());
        set("after");
        assertThat(all()).containsExactly("after", "before");
    }

    @Test
    void aUnitRefusedDuringAnIoErrorHasNoEffect() throws Exception {
        CountDownLatch waiting = new CountDownLatch(1);
        CompletableFuture<Void> failing = store.write("fail", "a", tx -> {
            tx.update(SET, "half", 1);
            awaitLatch(waiting);
            throw new SQLiteException("injected", SQLiteErrorCode.SQLITE_IOERR);
        });
        List<CompletableFuture<Integer>> queued = IntStream.range(0, 50)
                .mapToObj(i -> store.write("set", "a", tx -> tx.update(SET, "queued-" + i, 1)))
                .toList();
        waiting.countDown();

        assertThatThrownBy(() -> failing.get(60, SECONDS)).hasCauseInstanceOf(StoreUnavailableException.class);
        long refused = queued.stream()
                .filter(each -> each.handle((done, failure) -> failure != null).join())
                .count();
        await().until(() -> store.unavailableReason().isEmpty());
        assertThat(all()).doesNotContain("half").hasSize((int) (50 - refused));
    }

    @Test
    void aRebuildInterruptedByACrashIsDoneAtTheNextStart() throws Exception {
        set("before");
        store.close();
        Files.writeString(folder.resolve("hub.db.condemned"), "injected");
        Files.writeString(folder.resolve("hub.db.rebuilding"), "half of a file");
        Object inode = inode();

        store = SqliteStore.open(folder);

        assertThat(inode()).isNotEqualTo(inode);
        assertThat(all()).containsExactly("before");
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void aFileSwapInterruptedByACrashIsFinishedAtTheNextStart() throws Exception {
        set("old");
        store.write("other", "a", tx -> tx.update(SET, "new", 1)).get(60, SECONDS);
        store.close();
        Path next = folder.resolve("hub.db.next");
        Files.move(folder.resolve("hub.db"), next);
        // The log of the old files: SQLite would corrupt the new file with this log.
        Files.writeString(folder.resolve("hub.db"), "the old database");
        Files.writeString(folder.resolve("hub.db-wal"), "the old log");
        Files.writeString(folder.resolve("hub.db.condemned"), "injected");

        store = SqliteStore.open(folder);

        assertThat(all()).containsExactly("new", "old");
        assertThat(leftovers()).isEmpty();
    }

    private void fail(SQLiteErrorCode code) throws Exception {
        store.write("fail", "a", tx -> {
                    tx.update(SET, "never", 1);
                    throw new SQLiteException("injected " + code.name(), code);
                })
                .get(60, SECONDS);
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void set(String sku) throws Exception {
        store.write("set", sku, tx -> tx.update(SET, sku, 1)).get(60, SECONDS);
    }

    private List<String> all() throws Exception {
        return store.read(tx -> tx.list(ALL, row -> row.getString(1))).get(60, SECONDS);
    }

    private Object inode() throws IOException {
        return Files.getAttribute(folder.resolve("hub.db"), "unix:ino");
    }

    private List<Path> leftovers() throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(
                            file -> file.getFileName().toString().matches("hub\\.db\\.(rebuilding|next|condemned).*"))
                    .toList();
        }
    }
}
