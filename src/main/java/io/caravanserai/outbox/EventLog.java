package io.caravanserai.outbox;

import io.caravanserai.event.CloudEvent;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** All retained events in the order of the log. Thread-safe. */
public final class EventLog {
    private static final String AFTER = "SELECT * FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?";
    private static final String OF_ORDER =
            "SELECT * FROM events WHERE order_id = ? AND sequence > ? ORDER BY sequence LIMIT ?";
    private static final String LATER_OF_ORDER = "SELECT * FROM events WHERE order_id = ? AND id > ? ORDER BY id";
    private static final String END = "SELECT COALESCE(MAX(sequence), 0) FROM events";

    private final Store store;

    public EventLog(Store store) {
        this.store = store;
    }

    /** Events after the given sequence. */
    public CompletableFuture<List<StoredEvent>> after(long sequence, int limit) {
        return store.read(tx -> after(tx, sequence, limit));
    }

    /** As {@link #after(long, int)}, for interactive lists: the query does not occupy a reader that orders need. */
    public CompletableFuture<List<StoredEvent>> list(long after, int limit) {
        return store.list(tx -> after(tx, after, limit));
    }

    /**
     * As {@link #after(long, int)}, within a write transaction, where no other transaction records events in parallel.
     */
    public static List<StoredEvent> after(Transaction tx, long sequence, int limit) throws SQLException {
        return tx.list(AFTER, StoredEvent::of, sequence, limit);
    }

    /** Events of one order after the given sequence. */
    public CompletableFuture<List<StoredEvent>> ofOrder(String orderId, long after, int limit) {
        return store.list(tx -> tx.list(OF_ORDER, StoredEvent::of, orderId, after, limit));
    }

    /** Events of one order after the event with the given id, as {@link #after(Transaction, long, int)}. */
    public static List<CloudEvent> ofOrder(Transaction tx, String orderId, String afterId) throws SQLException {
        return tx.list(LATER_OF_ORDER, row -> StoredEvent.of(row).event(), orderId, afterId);
    }

    /** All events of one order, oldest first. */
    public static List<CloudEvent> allOfOrder(Transaction tx, String orderId) throws SQLException {
        return ofOrder(tx, orderId, "");
    }

    /** The sequence of the last event; 0 for an empty log. */
    public CompletableFuture<Long> end() {
        return store.read(tx -> tx.first(END, row -> row.getLong(1)).orElse(0L));
    }
}
