package io.caravanserai.inbox;

import io.caravanserai.store.Transaction;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Idempotency keys: a sender may repeat a request with the same key without a second effect. All ingresses share one
 * key space. Thread-safe.
 *
 * <p>A key is stored for 24 hours; an older key counts as new.
 */
public final class IdempotencyKeys {
    /** Replaces the order id for a refused request, so that the refusal is stored with the key. */
    public static final String NO_ORDER = "";

    private static final Duration RETENTION = Duration.ofHours(24);
    private static final int BATCH = 200;

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
     * The stored state of a key.
     *
     * @param fingerprint fingerprint of the first request
     * @param orderId id of the resulting order, or {@link #NO_ORDER}
     * @param owner the process that handles the request
     * @param dueAt latest time of the answer by the owner
     */
    public record Entry(String fingerprint, String orderId, String owner, Instant dueAt, Optional<String> answer) {}

    /** Claims a key; false when the key is claimed already, with or without an answer. */
    public boolean claim(Transaction tx, String key, String fingerprint, String orderId, String owner, Instant dueAt)
            throws SQLException {
        Instant now = clock.instant();
        return tx.update(CLAIM, key, fingerprint, orderId, owner, dueAt, now, now.minus(RETENTION)) == 1;
    }

    /** Empty when the key is free. */
    public Optional<Entry> find(Transaction tx, String key) throws SQLException {
        return tx.first(FIND, IdempotencyKeys::entry, key, clock.instant().minus(RETENTION));
    }

    /**
     * As {@link #find}, for keys of any age: a message may be redelivered after days of downtime of the broker or the
     * hub.
     */
    public Optional<Entry> findAny(Transaction tx, String key) throws SQLException {
        return tx.first(FIND, IdempotencyKeys::entry, key, Instant.EPOCH);
    }

    /** Stores the first answer; false when an answer is stored already. The stored answer is the one to send. */
    public boolean answer(Transaction tx, String key, String orderId, String answer) throws SQLException {
        return tx.update(ANSWER, answer, key, orderId) == 1;
    }

    /** Deletes a batch of keys older than 24 hours; false when no more remain. */
    public boolean purgeBatch(Transaction tx) throws SQLException {
        return tx.update(EXPIRE, clock.instant().minus(RETENTION), BATCH) == BATCH;
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
