package io.caravanserai.deadletter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.caravanserai.deadletter.Replays.Progress;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.support.Ids;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class ReplaysIT {
    private static final CompletableFuture<Void> WELL = CompletableFuture.completedFuture(null);
    private static final CompletableFuture<Void> BADLY =
            CompletableFuture.failedFuture(new IllegalStateException("again"));

    @TempDir
    private Path folder;

    private Store store;
    private DeadLetters letters;
    private Replays replays;
    private final List<String> sent = new CopyOnWriteArrayList<>();

    @BeforeEach
    void open() {
        store = SqliteStore.open(folder);
        begin();
    }

    /** Simulates the start of a process. */
    private void begin() {
        letters = new DeadLetters(store, new Ids(), Clock.systemUTC());
        replays = new Replays(store, letters, new Ids(), Clock.systemUTC());
    }

    @AfterEach
    void close() {
        replays.close();
        store.close();
    }

    private List<String> add(int count, String body) {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ids.add(letters.add(new DeadLetter.Failed(
                            "test:" + i, "test", "orders", null, "no-luck", "no", Map.of(), body, false))
                    .join());
        }
        return ids;
    }

    private void replayedBy(Replayer replayer) {
        letters.replayedBy("test", letter -> {
            sent.add(letter.id());
            return replayer.replay(letter);
        });
    }

    private String beginReplay(int stopAfterFailures) {
        return replays.begin(new Replays.Request(
                        DeadLetters.Filter.ALL, null, BigDecimal.valueOf(10_000), stopAfterFailures))
                .join()
                .id();
    }

    private Progress ended(String replay) {
        return await().until(
                        () -> replays.progress(replay).join().orElseThrow(),
                        progress -> !progress.status().equals("running"));
    }

    @Test
    void concurrentReplaysOfOneDeadLetterSendOnce() {
        String id = add(1, "body").get(0);
        CompletableFuture<Void> handled = new CompletableFuture<>();
        replayedBy(letter -> handled);

        CompletableFuture<?> first = letters.replay(id);
        CompletableFuture<?> second = letters.replay(id);
        handled.complete(null);

        assertThat(first.join()).isEqualTo(second.join());
        assertThat(sent).containsExactly(id);
        assertThat(letters.get(id).join().orElseThrow().replays()).isEqualTo(1);
    }

    @Test
    void concurrentBulkReplaysSendEachDeadLetterOnce() {
        List<String> ids = add(100, "body");
        replayedBy(letter -> WELL);

        String first = beginReplay(5);
        String second = beginReplay(5);

        for (Progress progress : List.of(ended(first), ended(second))) {
            assertThat(progress.status()).isEqualTo("done");
            assertThat(progress.remaining()).isZero();
        }
        assertThat(sent).containsExactlyInAnyOrderElementsOf(ids);
    }

    @Test
    void idListSelectsEachMatchingDeadLetterOnce() {
        List<String> ids = add(4, "body");
        replayedBy(letter -> WELL);
        letters.replay(ids.get(0)).join();
        // A dead letter handled in the millisecond of the start of a replay counts as handled by the replay.
        Instant handled =
                letters.get(ids.get(0)).join().orElseThrow().settledAt().orElseThrow();
        await().until(() -> Instant.now().isAfter(handled.plusMillis(1)));
        List<String> asked = List.of(ids.get(3), ids.get(0), "none", ids.get(3), ids.get(1));

        assertThat(selected(DeadLetters.Filter.ALL, asked)).isEqualTo(3);
        assertThat(sent).containsExactly(ids.get(0), ids.get(0), ids.get(1), ids.get(3));
        assertThat(selected(new DeadLetters.Filter("orders", null, null), asked))
                .as("those that still wait for somebody")
                .isZero();
        assertThat(selected(new DeadLetters.Filter("elsewhere", null, null), ids))
                .isZero();
        assertThat(selected(DeadLetters.Filter.ALL, List.of())).isZero();
    }

    private int selected(DeadLetters.Filter filter, List<String> ids) {
        Replays.Begun begun = replays.begin(new Replays.Request(filter, ids, BigDecimal.valueOf(10_000), 5))
                .join();
        assertThat(ended(begun.id()).replayed()).isEqualTo(begun.selected());
        return begun.selected();
    }

    @Test
    void deletedDeadLetterIsSkippedAndOthersAreReplayed() {
        List<String> ids = add(5, "body");
        CompletableFuture<Void> handled = new CompletableFuture<>();
        replayedBy(letter -> letter.id().equals(ids.get(0)) ? handled : WELL);
        String replay = beginReplay(5);
        await().until(() -> sent.size() == 1);

        letters.delete(ids.get(0)).join();
        letters.delete(ids.get(2)).join();
        assertThat(letters.replay(ids.get(2)).join()).isEmpty();
        handled.complete(null);

        Progress progress = ended(replay);
        assertThat(progress.status()).isEqualTo("done");
        assertThat(List.of(progress.selected(), progress.replayed(), progress.gone(), progress.remaining()))
                .containsExactly(5, 4, 1, 0);
        assertThat(sent).doesNotContain(ids.get(2)).doesNotHaveDuplicates();
        assertThat(letters.get(ids.get(0)).join()).isEmpty();
    }

    @Test
    void failuresBeforeARestartCount() {
        List<String> ids = add(10, "body");
        CompletableFuture<Void> never = new CompletableFuture<>();
        replayedBy(letter -> ids.indexOf(letter.id()) < 2 ? BADLY : never);
        String replay = beginReplay(3);
        await().until(() -> sent.size() == 3);
        replays.close();

        begin();
        replayedBy(letter -> BADLY);
        replays.resume();

        Progress progress = ended(replay);
        assertThat(progress.status()).isEqualTo("stopped");
        assertThat(progress.failed()).isEqualTo(3);
        assertThat(progress.remaining()).isEqualTo(7);
    }

    @Test
    void replayContinuesOnceStoreIsWritable() {
        add(10, "body");
        replayedBy(letter -> WELL);
        sql("CREATE TRIGGER trouble BEFORE UPDATE ON replay_letters BEGIN SELECT RAISE(ABORT, 'trouble'); END");
        String replay = beginReplay(3);
        await().until(() -> sent.size() == 1);
        sql("DROP TRIGGER trouble");

        assertThat(ended(replay).replayed()).isEqualTo(10);
        assertThat(sent).hasSize(10);
    }

    @Test
    void replayInterruptedByCrashIsCountedOnceHandled() {
        String id = add(1, "body").get(0);
        replayedBy(letter -> new CompletableFuture<>());
        letters.replay(id);
        await().until(() -> sent.size() == 1);

        begin();
        replayedBy(letter -> WELL);
        letters.replay(id).join();

        assertThat(letters.get(id).join().orElseThrow().replays()).isEqualTo(1);
    }

    @Test
    void waitingReplayLogsPauseAndResumeOnce() {
        List<String> ids = add(3, "body");
        replayedBy(letter -> letter.id().equals(ids.get(1)) && sent.size() < 4
                ? CompletableFuture.failedFuture(new TargetUnavailableException("away", null))
                : WELL);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(Replays.class);
        log.start();
        logger.addAppender(log);
        logger.setLevel(Level.INFO);
        try {
            assertThat(ended(beginReplay(1)).replayed()).isEqualTo(3);
        } finally {
            logger.detachAppender(log);
            logger.setLevel(null);
        }

        assertThat(sent).hasSize(5);
        assertThat(log.list)
                .extracting(ILoggingEvent::getMessage)
                .containsSubsequence("dead-letter replay interrupted; retrying", "dead-letter replay resumed")
                .hasSizeBetween(2, 3);
    }

    private static LetterChange change(String body, Map<String, Optional<String>> headers) {
        return new LetterChange(Optional.ofNullable(body), headers);
    }

    private DeadLetter letter(String id) {
        return letters.get(id).join().orElseThrow();
    }

    @Test
    void changedDeadLetterNotSentBeforeCrashIsSentAtNextStart() {
        String id = add(1, "before").get(0);
        List<String> bodies = new CopyOnWriteArrayList<>();
        letters.changedAndReplayedBy("test", letter -> new CompletableFuture<>());
        String original = replays.replayChanged(id, change("after", Map.of("style", Optional.of("queue"))), () -> {})
                .join()
                .orElseThrow()
                .originalId();
        replays.close();

        begin();
        letters.changedAndReplayedBy("test", letter -> {
            bodies.add(letter.body() + letter.headers());
            return WELL;
        });
        replays.resume();

        await().until(() -> letter(id).settledAt().isPresent());
        assertThat(bodies).containsExactly("after{style=queue}");
        assertThat(letter(original).body()).isEqualTo("before");
        assertThat(letter(original).settledAt()).isPresent();
        assertThat(letters.list(DeadLetters.Filter.ALL, null, 10).join()).isEmpty();
    }

    @Test
    void changedDeadLetterThatFailsAgainReplacesOriginal() {
        String id = add(1, "before").get(0);
        letters.changedAndReplayedBy("test", letter -> BADLY);
        CompletableFuture<Void> ended = new CompletableFuture<>();

        replays.replayChanged(id, change("after", Map.of()), () -> ended.complete(null))
                .join();
        ended.join();

        assertThat(letters.list(DeadLetters.Filter.ALL, null, 10).join())
                .extracting(DeadLetter::id, DeadLetter::body, DeadLetter::replays)
                .containsExactly(tuple(id, "after", 1));
    }

    @Test
    void unchangeableDeadLetterIsNeitherChangedNorSent() {
        List<String> ids = add(2, "before");
        replayedBy(letter -> WELL);

        assertThatThrownBy(() -> replays.replayChanged(ids.get(0), change("after", Map.of()), () -> {})
                        .join())
                .hasCauseInstanceOf(ChangeRefusedException.class)
                .hasMessageContaining("the hub has recorded the content");
        letters.changedAndReplayedBy("test", letter -> WELL);
        letters.replay(ids.get(0)).join();
        assertThatThrownBy(() -> replays.replayChanged(ids.get(0), change("after", Map.of()), () -> {})
                        .join())
                .hasMessageContaining("the dead letter is settled");
        assertThatThrownBy(() -> replays.replayChanged(
                                ids.get(1), change(null, Map.of("JMSMessageID", Optional.of("ID:1"))), () -> {})
                        .join())
                .hasMessageContaining("cannot be changed");

        assertThat(letter(ids.get(1)).body()).isEqualTo("before");
        assertThat(sent).isEmpty();
    }

    private void sql(String statement) {
        store.write("test", "test", tx -> tx.update(statement)).join();
    }

    @Test
    void pagesOfLargeDeadLettersAreShort() {
        List<String> ids = add(20, "x".repeat(1_000_000));

        List<String> found = new ArrayList<>();
        String before = null;
        DeadLetters.Page page;
        do {
            page = letters.page(DeadLetters.Filter.ALL, before, 200).join();
            assertThat(page.letters()).hasSizeBetween(1, 5);
            page.letters().forEach(each -> found.add(0, each.id()));
            before = found.get(0);
        } while (page.more());

        assertThat(found).isEqualTo(ids);
    }
}
