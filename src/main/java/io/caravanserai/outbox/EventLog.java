package io.caravanserai.outbox;

import io.caravanserai.event.CloudEvent;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** All events, in the order they happened, as long as they are kept. Thread-safe. */
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

    /** Events later in the log than that. */
    public CompletableFuture<List<StoredEvent>> after(long sequence, int limit) {
        return store.read(tx -> after(tx, sequence, limit));
    }

    /** As {@link #after(long, int)}, for a list that a person asks for: the query takes no reader from orders. */
    public CompletableFuture<List<StoredEvent>> list(long after, int limit) {
        return store.list(tx -> after(tx, after, limit));
    }

    /** As {@link #after(long, int)}, in a unit of work that nothing is recorded beside. */
    public static List<StoredEvent> after(Transaction tx, long sequence, int limit) throws SQLException {
        return tx.list(AFTER, StoredEvent::of, sequence, limit);
    }

    /** Events of one order later in the log than that. */
    public CompletableFuture<List<StoredEvent>> ofOrder(String orderId, long after, int limit) {
        return store.list(tx -> tx.list(OF_ORDER, StoredEvent::of, orderId, after, limit));
    }

    /** Events of one order later than the one of that id, as {@link #after(Transaction, long, int)}. */
    public static List<CloudEvent> ofOrder(Transaction tx, String orderId, String afterId) throws SQLException {
        return tx.list(LATER_OF_ORDER, row -> StoredEvent.of(row).event(), orderId, afterId);
    }

    /** All events of one order, oldest first. */
    public static List<CloudEvent> allOfOrder(Transaction tx, String orderId) throws SQLException {
        return ofOrder(tx, orderId, "");
    }

    /** The sequence of the last event; 0 when there is none. */
    public CompletableFuture<Long> end() {
        return store.read(tx -> tx.first(END, row -> row.getLong(1)).orElse(0L));
    }
}
