package io.caravanserai.deadletter;

import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replays many dead letters: the selection is frozen when a replay begins, its letters go one after the other, oldest
 * first, no faster than asked for, and it stops when too many in a row fail again. Goes on after a restart, and waits
 * while a letter cannot be sent because the broker, or the store, is away.
 */
public final class Replays implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Replays.class);

    private static final String BEGIN = """
            INSERT INTO replays (id, begun_at, rate, stop_after_failures, selected) VALUES (?, ?, ?, ?, ?)
            """;
    private static final String SELECT_MATCHING = """
            INSERT INTO replay_letters (replay_id, position, dead_letter_id)
            SELECT ?, ROW_NUMBER() OVER (ORDER BY id) - 1, id FROM dead_letters
            WHERE settled_at IS NULL AND source = COALESCE(?, source) AND reason = COALESCE(?, reason)
              AND (CAST(? AS TEXT) IS NULL OR type = ?)
            """;
    private static final String SELECT_ONE = """
            INSERT INTO replay_letters (replay_id, position, dead_letter_id)
            SELECT ?, ?, id FROM dead_letters
            WHERE id = ? AND source = COALESCE(?, source) AND reason = COALESCE(?, reason)
              AND (CAST(? AS TEXT) IS NULL OR type = ?)
              AND (settled_at IS NULL OR ? = 1)
            """;
    private static final String NEXT = """
            SELECT position, dead_letter_id FROM replay_letters
            WHERE replay_id = ? AND position > ? AND outcome IS NULL ORDER BY position LIMIT 1
            """;
    private static final String FAILURES_IN_A_ROW = """
            SELECT COUNT(*) FROM replay_letters WHERE replay_id = ? AND outcome = 'failed' AND position > COALESCE(
              (SELECT MAX(position) FROM replay_letters WHERE replay_id = ? AND outcome <> 'failed'), -1)
            """;
    private static final String OUTCOME = "UPDATE replay_letters SET outcome = ? WHERE replay_id = ? AND position = ?";
    private static final String END = "UPDATE replays SET ended_at = ?, outcome = ? WHERE id = ?";
    private static final String UNFINISHED = "SELECT id FROM replays WHERE ended_at IS NULL ORDER BY id";
    private static final String TERMS = "SELECT rate, stop_after_failures, begun_at FROM replays WHERE id = ?";
    private static final String PROGRESS = """
            SELECT r.begun_at, r.ended_at, r.selected, r.outcome,
              (SELECT COUNT(*) FROM replay_letters l WHERE l.replay_id = r.id AND l.outcome = 'replayed') AS replayed,
              (SELECT COUNT(*) FROM replay_letters l WHERE l.replay_id = r.id AND l.outcome = 'failed') AS failed,
              (SELECT COUNT(*) FROM replay_letters l WHERE l.replay_id = r.id AND l.outcome = 'gone') AS gone
            FROM replays r WHERE r.id = ?
            """;

    private static final String FORGET_LETTERS = """
            DELETE FROM replay_letters WHERE (replay_id, position) IN (
              SELECT l.replay_id, l.position FROM replays r JOIN replay_letters l ON l.replay_id = r.id
              WHERE r.ended_at < ? LIMIT ?)
            """;
    private static final String FORGET =
            "DELETE FROM replays WHERE id IN (SELECT id FROM replays WHERE ended_at < ? LIMIT ?)";
    private static final int AT_ONCE = 100;

    private static final long TROUBLE_SECONDS = 2;

    private final Store store;
    private final DeadLetters letters;
    private final Supplier<String> ids;
    private final Clock clock;
    private volatile boolean closed;

    public Replays(Store store, DeadLetters letters, Supplier<String> ids, Clock clock) {
        this.store = store;
        this.letters = letters;
        this.ids = ids;
        this.clock = clock;
    }

    /**
     * What to replay.
     *
     * @param ids only these; null for all that the filter matches
     * @param rate letters a second, more than 0
     * @param stopAfterFailures in a row, at least 1
     */
    public record Request(DeadLetters.Filter filter, List<String> ids, BigDecimal rate, int stopAfterFailures) {}

    /** A replay that has begun. */
    public record Begun(String id, int selected) {}

    /**
     * How far a replay has come.
     *
     * @param replayed handled well, or handled well by somebody else since this began
     * @param failed handled again and failed again
     * @param gone deleted before their turn
     * @param status {@code running}, {@code done} or {@code stopped}: too many failed in a row
     */
    public record Progress(
            String replayId,
            String status,
            int selected,
            int replayed,
            int failed,
            int gone,
            int remaining,
            Instant begunAt,
            Optional<Instant> endedAt) {}

    /** Takes up replays that a stop of the hub has interrupted. */
    public void resume() {
        store.read(tx -> tx.list(UNFINISHED, row -> row.getString(1))).thenAccept(all -> all.forEach(this::launch));
    }

    /** Freezes the selection and begins; completes when that is durable. */
    public CompletableFuture<Begun> begin(Request request) {
        String id = ids.get();
        return store.write("begin-replay", id, tx -> {
                    int selected = select(tx, id, request);
                    tx.update(BEGIN, id, clock.instant(), request.rate(), request.stopAfterFailures(), selected);
                    return new Begun(id, selected);
                })
                .thenApply(begun -> {
                    launch(id);
                    return begun;
                });
    }

    /** What has become of a changed letter when {@link #replayChanged} answers. */
    public record Changed(String replayId, String originalId) {}

    /**
     * Changes a letter and sends it, both or neither: one unit of work changes the letter, keeps the original as done with,
     * and begins the replay, which a restart takes up. Completes when that is durable; empty when there is no such letter.
     * Fails with {@link ChangeRefusedException} when it may not be changed.
     *
     * @param ended run when the letter has been sent and handled, or has failed again; not while the broker is away
     */
    public CompletableFuture<Optional<Changed>> replayChanged(String letter, LetterChange change, Runnable ended) {
        String id = ids.get();
        return store.write("change-dead-letter", letter, tx -> {
                    Optional<String> original = letters.change(tx, letter, change);
                    if (original.isPresent()) {
                        tx.update(SELECT_ONE, id, 0, letter, null, null, null, null, false);
                        tx.update(BEGIN, id, clock.instant(), BigDecimal.ONE, 1, 1);
                    }
                    return original.map(kept -> new Changed(id, kept));
                })
                .thenApply(changed -> {
                    changed.ifPresent(begun -> launch(id, ended));
                    return changed;
                });
    }

    /** All orders wait for this unit of work, so it looks at no letter twice; answers how many are selected. */
    private static int select(Transaction tx, String id, Request request) throws SQLException {
        DeadLetters.Filter filter = request.filter();
        if (request.ids() == null) {
            return tx.update(SELECT_MATCHING, id, filter.source(), filter.reason(), filter.type(), filter.type());
        }
        // Named one by one and by nothing else: also those that were replayed before.
        boolean alsoSettled = filter.equals(DeadLetters.Filter.ALL);
        int selected = 0;
        for (String letter : request.ids().stream().distinct().sorted().toList()) {
            selected += tx.update(
                    SELECT_ONE,
                    id,
                    selected,
                    letter,
                    filter.source(),
                    filter.reason(),
                    filter.type(),
                    filter.type(),
                    alsoSettled);
        }
        return selected;
    }

    /** Forgets some of what ended well before that time; false when there is no more. */
    public boolean purgeBatch(Transaction tx, Instant before) throws SQLException {
        int letters = tx.update(FORGET_LETTERS, before, AT_ONCE);
        return letters > 0 || tx.update(FORGET, before, AT_ONCE) == AT_ONCE;
    }

    /** Empty when there is no such replay. */
    public CompletableFuture<Optional<Progress>> progress(String id) {
        return store.read(tx -> tx.first(
                PROGRESS,
                row -> {
                    int selected = row.getInt("selected");
                    int replayed = row.getInt("replayed");
                    int failed = row.getInt("failed");
                    int gone = row.getInt("gone");
                    long ended = row.getLong("ended_at");
                    String outcome = row.getString("outcome");
                    return new Progress(
                            id,
                            outcome == null ? "running" : outcome,
                            selected,
                            replayed,
                            failed,
                            gone,
                            selected - replayed - failed - gone,
                            Instant.ofEpochMilli(row.getLong("begun_at")),
                            ended == 0 ? Optional.empty() : Optional.of(Instant.ofEpochMilli(ended)));
                },
                id));
    }

    private void launch(String id) {
        launch(id, () -> {});
    }

    private void launch(String id, Runnable ended) {
        Thread thread = new Thread(() -> run(id, ended), "replay-" + id);
        thread.setDaemon(true);
        thread.start();
    }

    private record Terms(BigDecimal rate, int stopAfterFailures, Instant begunAt) {}

    private record Next(int position, String letter) {}

    private void run(String id, Runnable ended) {
        AtomicBoolean waits = new AtomicBoolean();
        try {
            while (!closed) {
                try {
                    replayAll(id, waits);
                    ended.run();
                    return;
                } catch (ExecutionException | RuntimeException e) {
                    if (!waits.getAndSet(true)) {
                        LOG.atWarn()
                                .addKeyValue("replayId", id)
                                .addKeyValue("error", DeadLetter.firstLine(e))
                                .log("a replay waits and is tried again and again");
                    }
                    TimeUnit.SECONDS.sleep(TROUBLE_SECONDS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void replayAll(String id, AtomicBoolean waits) throws InterruptedException, ExecutionException {
        Terms terms = store.read(tx -> tx.first(
                        TERMS,
                        row -> new Terms(
                                new BigDecimal(row.getString(1)), row.getInt(2), Instant.ofEpochMilli(row.getLong(3))),
                        id))
                .get()
                .orElseThrow();
        // What failed before a restart counts as well.
        int failuresInARow = store.read(tx -> tx.first(FAILURES_IN_A_ROW, row -> row.getInt(1), id, id))
                .get()
                .orElseThrow();
        long pauseNanos = (long) (1e9 / terms.rate().doubleValue());
        long due = System.nanoTime();
        int last = -1;
        while (!closed) {
            int after = last;
            Optional<Next> next = store.read(
                            tx -> tx.first(NEXT, row -> new Next(row.getInt(1), row.getString(2)), id, after))
                    .get();
            if (next.isEmpty() || failuresInARow >= terms.stopAfterFailures()) {
                end(id, next.isEmpty() ? "done" : "stopped");
                return;
            }
            TimeUnit.NANOSECONDS.sleep(Math.max(0, due - System.nanoTime()));
            due = Math.max(due, System.nanoTime() - pauseNanos) + pauseNanos;
            String outcome = letters.replay(next.get().letter(), terms.begunAt())
                    .get()
                    .map(handled -> handled ? "replayed" : "failed")
                    .orElse("gone");
            last = next.get().position();
            int position = last;
            store.write("replay-outcome", id, tx -> tx.update(OUTCOME, outcome, id, position))
                    .get();
            if (waits.getAndSet(false)) {
                LOG.atInfo().addKeyValue("replayId", id).log("a replay goes on");
            }
            failuresInARow = outcome.equals("failed") ? failuresInARow + 1 : 0;
        }
    }

    private void end(String id, String outcome) throws InterruptedException, ExecutionException {
        store.write("end-replay", id, tx -> tx.update(END, clock.instant(), outcome, id))
                .get();
        LOG.atInfo().addKeyValue("replayId", id).addKeyValue("outcome", outcome).log("replay ended");
    }

    /** What is under way stops after its present letter, and goes on at the next start. */
    @Override
    public void close() {
        closed = true;
    }
}
