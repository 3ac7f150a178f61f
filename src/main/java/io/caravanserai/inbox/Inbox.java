package io.caravanserai.inbox;

import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;

/** Records handled messages, so that a message delivered twice has one effect. Thread-safe. */
public final class Inbox {
    private static final String MARK = """
            INSERT INTO inbox (handler, message_id, at) VALUES (?, ?, ?)
            ON CONFLICT (handler, message_id) DO NOTHING
            """;
    private static final String DELETE = "DELETE FROM inbox WHERE handler = ? AND message_id = ? AND at < ?";

    private final Clock clock;

    public Inbox(Clock clock) {
        this.clock = clock;
    }

    /**
     * Marks a message as handled in the given transaction. False when the message was handled before: the caller must
     * then do nothing more.
     *
     * @param handler name of the handler; each handler handles a message once
     */
    public boolean firstTime(Transaction tx, String messageId, String handler) throws SQLException {
        return tx.update(MARK, handler, messageId, clock.instant()) == 1;
    }

    /** Deletes a mark older than the given time. A redelivery after the deletion is handled again. */
    public void forget(Transaction tx, String messageId, String handler, Instant before) throws SQLException {
        tx.update(DELETE, handler, messageId, before);
    }
}
