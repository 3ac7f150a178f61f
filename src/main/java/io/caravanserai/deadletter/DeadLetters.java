package io.caravanserai.deadletter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import io.caravanserai.order.OrderJson;
import io.caravanserai.store.SingleFlight;
import io.caravanserai.store.Store;
import io.caravanserai.store.StoreUnavailableException;
import io.caravanserai.store.Transaction;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Stores, lists and replays dead letters. Thread-safe. */
public final class DeadLetters implements DeadLetterSink {
    private static final String ADD = """
            INSERT INTO dead_letters (id, origin, channel, source, type, reason, error, received_at, headers, body, base64)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (origin) DO UPDATE
            SET reason = excluded.reason, error = excluded.error, received_at = excluded.received_at,
              headers = excluded.headers, settled_at = NULL
            RETURNING id
            """;
    private static final String GET = "SELECT * FROM dead_letters WHERE id = ?";
    private static final String BY_ORIGIN = "SELECT * FROM dead_letters WHERE origin = ?";
    private static final String LIST = """
            SELECT * FROM dead_letters
            WHERE settled_at IS NULL AND id < ?
            ORDER BY id DESC LIMIT ?
            """;
    // The filters are decided on keys, in an index: SQLite would read each letter, body and all, to look at its type.
    private static final String LIST_OF_SOURCE = """
            SELECT * FROM dead_letters WHERE id IN (
              SELECT id FROM dead_letters
              WHERE settled_at IS NULL AND source = ? AND id < ? AND (CAST(? AS TEXT) IS NULL OR type = ?)
              ORDER BY id DESC LIMIT ?)
            ORDER BY id DESC
            """;
    private static final String LIST_OF_REASON = """
            SELECT * FROM dead_letters WHERE id IN (
              SELECT id FROM dead_letters
              WHERE settled_at IS NULL AND reason = ? AND id < ? AND (CAST(? AS TEXT) IS NULL OR type = ?)
              ORDER BY id DESC LIMIT ?)
            ORDER BY id DESC
            """;
    private static final String LIST_OF_SOURCE_AND_REASON = """
            SELECT * FROM dead_letters WHERE id IN (
              SELECT id FROM dead_letters
              WHERE settled_at IS NULL AND source = ? AND reason = ? AND id < ? AND (CAST(? AS TEXT) IS NULL OR type = ?)
              ORDER BY id DESC LIMIT ?)
            ORDER BY id DESC
            """;
    private static final String LIST_OF_TYPE = """
            SELECT * FROM dead_letters WHERE settled_at IS NULL AND type = ? AND id < ? ORDER BY id DESC LIMIT ?
            """;
    private static final String COUNT = "SELECT COUNT(*) FROM dead_letters WHERE settled_at IS NULL";
    private static final String DELETE = "DELETE FROM dead_letters WHERE id = ?";
    private static final String REPLAYED = "UPDATE dead_letters SET replays = replays + 1 WHERE id = ?";
    /**
     * The condition on received_at: a replayed message may fail and be added again before the replay is marked as
     * settled.
     */
    private static final String SETTLED = "UPDATE dead_letters SET settled_at = ? WHERE id = ? AND received_at = ?";

    private static final String FAILED_AGAIN = "UPDATE dead_letters SET error = ?, settled_at = NULL WHERE id = ?";

    private static final String PURGE = """
            DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE settled_at < ? LIMIT ?)
            """;
    private static final String ADD_COPY_TO_REMOVE =
            "INSERT INTO dead_letter_copies (letter_id) VALUES (?) ON CONFLICT (letter_id) DO NOTHING";
    private static final String COPIES_TO_REMOVE =
            "SELECT letter_id FROM dead_letter_copies ORDER BY letter_id LIMIT ?";
    private static final String COPY_REMOVED = "DELETE FROM dead_letter_copies WHERE letter_id = ?";
    private static final int BATCH = 100;

    /** Maximum total of body characters per page. */
    private static final long MAX_PAGE_CHARACTERS = 4L * 1024 * 1024;

    private static final Duration REPLAY_TIMEOUT = Duration.ofSeconds(60);

    /** Sorts after every id: ids are lower-case hex. */
    private static final String AFTER_ALL_IDS = "~";

    private final Store store;
    private final Supplier<String> ids;
    private final Clock clock;
    private final Map<String, Replayer> replayers = new ConcurrentHashMap<>();
    private final Set<String> changeable = ConcurrentHashMap.newKeySet();
    private final SingleFlight<String, Optional<Boolean>> inFlight = new SingleFlight<>();
    private final Seals seals;
    private volatile ReplayListener replayListener = (tx, letter, error) -> {};

    public DeadLetters(Store store, Supplier<String> ids, Clock clock) {
        this.store = store;
        this.ids = ids;
        this.clock = clock;
        this.seals = new Seals(store);
    }

    /** For replayers that send through a queue or topic other clients can write to. */
    public Seals seals() {
        return seals;
    }

    /**
     * A page of the list.
     *
     * @param more whether older dead letters follow
     */
    public record Page(List<DeadLetter> letters, boolean more) {}

    /** Selects dead letters; a null component matches all. */
    public record Filter(String source, String reason, String type) {
        public static final Filter ALL = new Filter(null, null, null);
    }

    /** Replaces the listener for ended replays; none by default. */
    public void onReplay(ReplayListener listener) {
        replayListener = listener;
    }

    /** Registers the replayer of a channel. */
    public void replayedBy(String channel, Replayer replayer) {
        replayers.put(channel, replayer);
    }

    /** Registers the replayer of a channel. Operators may change the messages of this channel before a replay. */
    public void changedAndReplayedBy(String channel, Replayer replayer) {
        changeable.add(channel);
        replayedBy(channel, replayer);
    }

    /**
     * Changes a dead letter in the transaction that starts the replay. Returns the id of the stored original; empty
     * when no dead letter has the given id.
     *
     * @throws ChangeRefusedException when the dead letter cannot be changed
     */
    Optional<String> change(Transaction tx, String id, LetterChange change) throws SQLException {
        Optional<DeadLetter> found = tx.first(GET, DeadLetters::letter, id);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        DeadLetter letter = found.get();
        if (!changeable.contains(letter.channel())) {
            throw new ChangeRefusedException("dead letters of " + letter.channel()
                    + " cannot be changed: the hub has recorded the content; replay without body and headers");
        }
        if (letter.settledAt().isPresent()) {
            throw new ChangeRefusedException("the dead letter is settled: the message was handled at "
                    + letter.settledAt().get());
        }
        change.refusedHeader(letter.headers()).ifPresent(header -> {
            throw new ChangeRefusedException(
                    "identifies the message and cannot be changed; leave this header out", header);
        });
        return Optional.of(change.apply(tx, letter, ids, clock.instant()));
    }

    @Override
    public CompletableFuture<String> add(DeadLetter.Failed failed) {
        String id = ids.get();
        return store.write("dead-letter", failed.origin(), tx -> add(tx, id, failed));
    }

    /**
     * As {@link #add(DeadLetter.Failed)}, for a message that remains in place and is found repeatedly. While the given
     * header is unchanged, the stored dead letter stays unchanged, also directly after a replay.
     */
    public CompletableFuture<String> addFound(DeadLetter.Failed failed, String header) {
        String id = ids.get();
        return store.write("dead-letter", failed.origin(), tx -> {
            Optional<DeadLetter> known = tx.first(BY_ORIGIN, DeadLetters::letter, failed.origin())
                    .filter(letter -> Objects.equals(
                            letter.headers().get(header), failed.headers().get(header)));
            return known.isPresent() ? known.get().id() : add(tx, id, failed);
        });
    }

    /** Adds a dead letter within a larger transaction; returns the id. */
    public String add(Transaction tx, DeadLetter.Failed failed) throws SQLException {
        return add(tx, ids.get(), failed);
    }

    private String add(Transaction tx, String id, DeadLetter.Failed failed) throws SQLException {
        return tx.first(
                        ADD,
                        row -> row.getString(1),
                        id,
                        failed.origin(),
                        failed.channel(),
                        failed.source(),
                        failed.type(),
                        failed.reason(),
                        failed.error(),
                        clock.instant(),
                        write(failed.headers()),
                        failed.body(),
                        failed.base64())
                .orElseThrow();
    }

    /** The dead letter; empty when unknown or deleted. */
    public CompletableFuture<Optional<DeadLetter>> get(String id) {
        return store.read(tx -> tx.first(GET, DeadLetters::letter, id));
    }

    /**
     * Open dead letters, newest first.
     *
     * @param before only dead letters older than the one with this id; null starts at the newest
     */
    public CompletableFuture<List<DeadLetter>> list(Filter filter, String before, int limit) {
        return store.list(tx -> list(tx, filter, before, limit));
    }

    List<DeadLetter> list(Transaction tx, Filter filter, String before, int limit) throws SQLException {
        String below = before == null ? AFTER_ALL_IDS : before;
        String source = filter.source();
        String reason = filter.reason();
        String type = filter.type();
        // Each statement uses a separate index, because the table may be very large.
        if (source != null && reason != null) {
            return tx.list(LIST_OF_SOURCE_AND_REASON, DeadLetters::letter, source, reason, below, type, type, limit);
        }
        if (source != null) {
            return tx.list(LIST_OF_SOURCE, DeadLetters::letter, source, below, type, type, limit);
        }
        if (reason != null) {
            return tx.list(LIST_OF_REASON, DeadLetters::letter, reason, below, type, type, limit);
        }
        return type == null
                ? tx.list(LIST, DeadLetters::letter, below, limit)
                : tx.list(LIST_OF_TYPE, DeadLetters::letter, type, below, limit);
    }

    /**
     * As {@link #list}, but ends the page early when the total size of the bodies reaches the limit, to bound memory.
     *
     * @param limit at least 1
     */
    public CompletableFuture<Page> page(Filter filter, String before, int limit) {
        return store.list(tx -> {
            List<DeadLetter> page = new ArrayList<>();
            String oldest = before;
            long size = 0;
            List<DeadLetter> next = list(tx, filter, oldest, 1);
            while (!next.isEmpty() && page.size() < limit && size < MAX_PAGE_CHARACTERS) {
                DeadLetter letter = next.get(0);
                page.add(letter);
                oldest = letter.id();
                size += letter.body() == null ? 0 : letter.body().length();
                next = list(tx, filter, oldest, 1);
            }
            return new Page(page, !next.isEmpty());
        });
    }

    /** The number of open dead letters. */
    public CompletableFuture<Long> waiting() {
        return store.read(tx -> tx.first(COUNT, row -> row.getLong(1)).orElse(0L));
    }

    /** Deletes a batch of dead letters settled before the given time; false when no more remain. */
    public boolean purgeBatch(Transaction tx, Instant before) throws SQLException {
        return tx.update(PURGE, before, BATCH) == BATCH;
    }

    /**
     * Deletes a dead letter; false when the id is unknown. Fails when the original message must be removed elsewhere
     * and the target is unavailable.
     */
    public CompletableFuture<Boolean> delete(String id) {
        return get(id).thenCompose(
                        letter -> letter.map(this::discard).orElseGet(() -> CompletableFuture.completedFuture(null)))
                .thenCompose(discarded -> store.write("delete-dead-letter", id, tx -> {
                    boolean deleted = tx.update(DELETE, id) == 1;
                    if (deleted) {
                        tx.update(ADD_COPY_TO_REMOVE, id);
                    }
                    return deleted;
                }));
    }

    /** A batch of ids of settled or deleted dead letters with copies elsewhere that are still to be removed. */
    public CompletableFuture<List<String>> copiesToLeave() {
        return store.read(tx -> tx.list(COPIES_TO_REMOVE, row -> row.getString(1), BATCH));
    }

    /** Marks the copies of these dead letters as removed. */
    public CompletableFuture<Void> copiesLeft(List<String> ids) {
        return store.write("dead-letter-copies", "dead-letter-copies", tx -> {
            for (String id : ids) {
                tx.update(COPY_REMOVED, id);
            }
            return null;
        });
    }

    private CompletableFuture<Void> discard(DeadLetter letter) {
        Replayer replayer = replayers.get(letter.channel());
        return replayer == null
                ? CompletableFuture.completedFuture(null)
                : replayer.discard(letter).exceptionally(failure -> {
                    throw new StoreUnavailableException(
                            "the original message cannot be removed: "
                                    + cause(failure).getMessage(),
                            failure);
                });
    }

    /**
     * Replays a dead letter to the source. Completes with true when the message was handled, with false when the
     * message failed again or took longer than a minute, and with empty when the id is unknown. Fails when the message
     * cannot be sent at present, for example because the broker is unavailable. Concurrent calls for one id share the
     * replay and the result.
     */
    public CompletableFuture<Optional<Boolean>> replay(String id) {
        return replay(id, Instant.MAX);
    }

    /** As {@link #replay(String)}, but does nothing when the dead letter was settled at the given time or later. */
    CompletableFuture<Optional<Boolean>> replay(String id, Instant unlessSince) {
        // The timeout covers a handler that disappears during the replay, such as an edited flow.
        return inFlight.get(
                id,
                () -> sendBack(id, unlessSince)
                        .completeOnTimeout(Optional.of(false), REPLAY_TIMEOUT.toSeconds(), TimeUnit.SECONDS));
    }

    private CompletableFuture<Optional<Boolean>> sendBack(String id, Instant unlessSince) {
        return get(id).thenCompose(letter -> letter.isEmpty()
                ? CompletableFuture.completedFuture(Optional.empty())
                : isSettled(letter.get(), unlessSince)
                        ? CompletableFuture.completedFuture(Optional.of(true))
                        : replay(letter.get()).thenApply(Optional::of));
    }

    private static boolean isSettled(DeadLetter letter, Instant since) {
        return letter.settledAt().filter(at -> !at.isBefore(since)).isPresent();
    }

    private CompletableFuture<Boolean> replay(DeadLetter letter) {
        Replayer replayer = replayers.get(letter.channel());
        CompletableFuture<Void> replayed = letter.isBodyLeftOut()
                ? CompletableFuture.failedFuture(new IllegalStateException("the body was too large to be kept ("
                        + letter.headers().get(DeadLetter.BODY_LEFT_OUT) + "); send the message again yourself"))
                : replayer == null
                        ? CompletableFuture.failedFuture(new IllegalStateException(
                                "the channel of this dead letter (" + letter.channel() + ") does not run at present"))
                        : replayed(replayer, letter);
        return replayed.handle((nothing, error) -> error)
                .thenCompose(error -> isAway(error) ? notReplayed(error) : replayed(letter, error));
    }

    /** Turns an exception of the replayer into a failed future, so that the next dead letters are still replayed. */
    private static CompletableFuture<Void> replayed(Replayer replayer, DeadLetter letter) {
        try {
            return replayer.replay(letter);
        } catch (RuntimeException | StackOverflowError e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static CompletableFuture<Boolean> notReplayed(Throwable error) {
        Throwable away = cause(error);
        return CompletableFuture.failedFuture(new StoreUnavailableException(away.getMessage(), away));
    }

    private CompletableFuture<Boolean> replayed(DeadLetter letter, Throwable error) {
        return store.write("dead-letter-replayed", letter.id(), tx -> {
            tx.update(REPLAYED, letter.id());
            if (error == null) {
                if (tx.update(SETTLED, clock.instant(), letter.id(), letter.receivedAt()) == 1) {
                    tx.update(ADD_COPY_TO_REMOVE, letter.id());
                }
            } else {
                tx.update(FAILED_AGAIN, DeadLetter.firstLine(cause(error)), letter.id());
            }
            replayListener.replayed(tx, letter, error == null ? null : cause(error));
            return error == null;
        });
    }

    /** Whether a failure is an outage of broker or store, and not a fault of the message. False for null. */
    public static boolean isAway(Throwable error) {
        return error != null
                && (cause(error) instanceof TargetUnavailableException
                        || cause(error) instanceof StoreUnavailableException);
    }

    private static Throwable cause(Throwable error) {
        return error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
    }

    private static DeadLetter letter(ResultSet row) throws SQLException {
        long settled = row.getLong("settled_at");
        return new DeadLetter(
                row.getString("id"),
                row.getString("origin"),
                row.getString("channel"),
                row.getString("source"),
                Optional.ofNullable(row.getString("type")),
                row.getString("reason"),
                row.getString("error"),
                Instant.ofEpochMilli(row.getLong("received_at")),
                read(row.getString("headers")),
                row.getString("body"),
                row.getInt("base64") == 1,
                row.getInt("replays"),
                settled == 0 ? Optional.empty() : Optional.of(Instant.ofEpochMilli(settled)));
    }

    static String write(Map<String, String> headers) {
        try {
            return OrderJson.MAPPER.writeValueAsString(headers);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("headers could not be written as JSON", e);
        }
    }

    private static Map<String, String> read(String headers) {
        try {
            return OrderJson.MAPPER.readValue(headers, new TypeReference<Map<String, String>>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("headers of a dead letter cannot be read", e);
        }
    }
}
