package io.caravanserai.inbox;

import io.caravanserai.store.Transaction;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The keys under which senders may repeat a request without a second effect: one space for all doors. Thread-safe.
 *
 * <p>A key is kept for 24 hours; an older one is as good as new.
 */
public final class IdempotencyKeys {
    /** In place of the order's id, for a request that was refused: its answer is kept with the key. */
    public static final String NO_ORDER = "";

    private static final Duration KEPT = Duration.ofHours(24);
    private static final int AT_ONCE = 200;

    private static final String CLAIM = """
            INSERT INTO idempotency_keys (idempotency_key, fingerprint, order_id, owner, due_at, created_at)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (idempotency_key) DO UPDATE
            SET fingerprint = excluded.fingerprint, order_id = excluded.order_id, owner = excluded.owner,
              due_at = excluded.due_at, answer = NULL, created_at = excluded.created_at
            WHERE idempotency_keys.created_at <= ?
            """;
    private static final String FIND = """
            SELECT fingerprint, order_id, owner, due_at, answer FROM idempotency_keys
            WHERE idempotency_key = ? AND created_at > ?
            """;
    private static final String ANSWER = """
            UPDATE idempotency_keys SET answer = ?
            WHERE idempotency_key = ? AND order_id = ? AND answer IS NULL
            """;
    private static final String EXPIRE = """
            DELETE FROM idempotency_keys WHERE idempotency_key IN
              (SELECT idempotency_key FROM idempotency_keys WHERE created_at <= ? LIMIT ?)
            """;

    private final Clock clock;

    public IdempotencyKeys(Clock clock) {
        this.clock = clock;
    }

    /**
     * What is known of a key.
     *
     * @param fingerprint of the request that came first
     * @param orderId of the order it led to, or {@link #NO_ORDER}
     * @param owner the process that took it
     * @param dueAt when that process will have answered at the latest
     */
    public record Entry(String fingerprint, String orderId, String owner, Instant dueAt, Optional<String> answer) {}

    /** Takes a key; false when it is taken already, with or without an answer. */
    public boolean claim(Transaction tx, String key, String fingerprint, String orderId, String owner, Instant dueAt)
            throws SQLException {
        Instant now = clock.instant();
        return tx.update(CLAIM, key, fingerprint, orderId, owner, dueAt, now, now.minus(KEPT)) == 1;
    }

    /** Empty when the key is free. */
    public Optional<Entry> find(Transaction tx, String key) throws SQLException {
        return tx.first(FIND, IdempotencyKeys::entry, key, clock.instant().minus(KEPT));
    }

    /** As {@link #find}, however old: a message may come again after a broker, or the hub, has been away for days. */
    public Optional<Entry> findAny(Transaction tx, String key) throws SQLException {
        return tx.first(FIND, IdempotencyKeys::entry, key, Instant.EPOCH);
    }

    /** Keeps the first answer; false when there is one already, which then is the one to give. */
    public boolean answer(Transaction tx, String key, String orderId, String answer) throws SQLException {
        return tx.update(ANSWER, answer, key, orderId) == 1;
    }

    /** Forgets some of what is older than 24 hours; false when there is no more. */
    public boolean purgeBatch(Transaction tx) throws SQLException {
        return tx.update(EXPIRE, clock.instant().minus(KEPT), AT_ONCE) == AT_ONCE;
    }

    private static Entry entry(ResultSet row) throws SQLException {
        return new Entry(
                row.getString("fingerprint"),
                row.getString("order_id"),
                row.getString("owner"),
                Instant.ofEpochMilli(row.getLong("due_at")),
                Optional.ofNullable(row.getString("answer")));
    }
}
