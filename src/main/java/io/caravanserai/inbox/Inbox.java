package io.caravanserai.inbox;

import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;

/** Remembers which messages were handled, so that a message delivered twice has one effect. Thread-safe. */
public final class Inbox {
    private static final String MARK = """
            INSERT INTO inbox (handler, message_id, at) VALUES (?, ?, ?)
            ON CONFLICT (handler, message_id) DO NOTHING
            """;
    private static final String FORGET = "DELETE FROM inbox WHERE handler = ? AND message_id = ? AND at < ?";

    private final Clock clock;

    public Inbox(Clock clock) {
        this.clock = clock;
    }

    /**
     * Marks a message as handled by the unit of work that this transaction is. False when it was handled before: then
     * the unit does nothing more.
     *
     * @param handler who handles it; each handler sees each message once
     */
    public boolean firstTime(Transaction tx, String messageId, String handler) throws SQLException {
        return tx.update(MARK, handler, messageId, clock.instant()) == 1;
    }

    /** Forgets a mark that is older than that; when the message came once more, it would be handled again. */
    public void forget(Transaction tx, String messageId, String handler, Instant before) throws SQLException {
        tx.update(FORGET, handler, messageId, before);
    }
}
