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
 * Replays many dead letters. The selection is frozen at the start. The messages are sent one at a time, oldest first,
 * not faster than the requested rate. A replay stops after too many consecutive failures, continues after a restart,
 * and waits while the broker or the store is unavailable.
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

    private static final String PURGE_LETTERS = """
            DELETE FROM replay_letters WHERE (replay_id, position) IN (
              SELECT l.replay_id, l.position FROM replays r JOIN replay_letters l ON l.replay_id = r.id
              WHERE r.ended_at < ? LIMIT ?)
            """;
    private static final String PURGE =
            "DELETE FROM replays WHERE id IN (SELECT id FROM replays WHERE ended_at < ? LIMIT ?)";
    private static final int BATCH = 100;

    private static final long RETRY_PAUSE_SECONDS = 2;

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
     * The parameters of a replay.
     *
     * @param ids only these; null for all that the filter matches
     * @param rate dead letters per second, more than 0
     * @param stopAfterFailures consecutive failures, at least 1
     */
    public record Request(DeadLetters.Filter filter, List<String> ids, BigDecimal rate, int stopAfterFailures) {}

    /** A started replay. */
    public record Begun(String id, int selected) {}

    /**
     * The progress of a replay.
     *
     * @param replayed handled by this replay, or by another replay since the start of this one
     * @param failed handled again and failed again
     * @param gone deleted before the replay reached the dead letter
     * @param status {@code running}, {@code done} or {@code stopped}: too many consecutive failures
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

    /** Resumes the replays that a stop of the hub has interrupted. */
    public void resume() {
        store.read(tx -> tx.list(UNFINISHED, row -> row.getString(1))).thenAccept(all -> all.forEach(this::launch));
    }

    /** Freezes the selection and starts the replay; completes when the start is durable. */
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

    /** The result of {@link #replayChanged}. */
    public record Changed(String replayId, String originalId) {}

    /**
     * Changes a dead letter and starts the replay in one transaction. The transaction also stores the original as
     * settled. A restart resumes the replay. Completes when the transaction is durable; empty when the id is unknown.
     * Fails with {@link ChangeRefusedException} when the dead letter cannot be changed.
     *
     * @param ended called when the message was sent and handled, or failed again; not called while the broker is
     *     unavailable
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

    /**
     * Reads no dead letter twice, because this transaction blocks all writes of orders. Returns the number of selected
     * dead letters.
     */
    private static int select(Transaction tx, String id, Request request) throws SQLException {
        DeadLetters.Filter filter = request.filter();
        if (request.ids() == null) {
            return tx.update(SELECT_MATCHING, id, filter.source(), filter.reason(), filter.type(), filter.type());
        }
        // A pure list of ids also selects settled dead letters.
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

    /** Deletes a batch of replays that ended before the given time; false when no more remain. */
    public boolean purgeBatch(Transaction tx, Instant before) throws SQLException {
        int letters = tx.update(PURGE_LETTERS, before, BATCH);
        return letters > 0 || tx.update(PURGE, before, BATCH) == BATCH;
    }

    /** The progress of a replay; empty when the id is unknown. */
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
                                .log("dead-letter replay interrupted; retrying");
                    }
                    TimeUnit.SECONDS.sleep(RETRY_PAUSE_SECONDS);
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
        // Failures before a restart count too.
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
                LOG.atInfo().addKeyValue("replayId", id).log("dead-letter replay resumed");
            }
            failuresInARow = outcome.equals("failed") ? failuresInARow + 1 : 0;
        }
    }

    private void end(String id, String outcome) throws InterruptedException, ExecutionException {
        store.write("end-replay", id, tx -> tx.update(END, clock.instant(), outcome, id))
                .get();
        LOG.atInfo().addKeyValue("replayId", id).addKeyValue("outcome", outcome).log("dead-letter replay ended");
    }

    /** Stops running replays after the current dead letter. The next start resumes these replays. */
    @Override
    public void close() {
        closed = true;
    }
}
