package io.caravanserai.outbox;

import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventType;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Takes orders that ended long ago out of the event log, each as a whole. What has not ended stays, however old, and so
 * does what is still to be sent, and the last event of all. Not thread-safe.
 */
public final class EventRetention {
    private static final String PAGE =
            "SELECT sequence, order_id, type, at FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?";
    /** The last event stays, or its sequence would be given once more. */
    private static final String OF_ORDER = """
            SELECT *, sent_at IS NULL OR kafka_sent_at = 0 OR sequence = (SELECT MAX(sequence) FROM events) AS needed
            FROM events WHERE order_id = ? ORDER BY sequence
            """;

    private static final String DELETE = "DELETE FROM events WHERE order_id = ?";
    private static final int AT_ONCE = 200;

    private final Duration retention;
    private final Clock clock;
    private final List<Forgetting> others;
    private volatile long position;

    /** What else is known of an order only for its history, or to know its events again. */
    @FunctionalInterface
    public interface Forgetting {

        /**
         * In the unit of work that deletes an order's events.
         *
         * @param events of the order, all, in the order they happened
         * @param before what was noted later than this is to be kept
         */
        void forget(Transaction tx, String orderId, List<CloudEvent> events, Instant before) throws SQLException;
    }

    public EventRetention(Duration retention, Clock clock, List<Forgetting> others) {
        this.retention = retention;
        this.clock = clock;
        this.others = List.copyOf(others);
    }

    private record Line(long sequence, String orderId, EventType type, Instant at) {
        boolean isAnEnd() {
            return type == EventType.OrderShipped || type == EventType.OrderCancelled;
        }
    }

    private record Kept(CloudEvent event, boolean needed) {}

    /** Looks at some events, and on from there the next time; false when there was nothing more to look at. */
    public boolean purgeBatch(Transaction tx) throws SQLException {
        Instant before = clock.instant().minus(retention);
        List<Line> page = tx.list(
                PAGE,
                row -> new Line(
                        row.getLong(1),
                        row.getString(2),
                        EventType.valueOf(row.getString(3)),
                        Instant.ofEpochMilli(row.getLong(4))),
                position,
                AT_ONCE);
        Set<String> ended = new HashSet<>();
        boolean more = page.size() == AT_ONCE;
        for (Line line : page) {
            if (!line.at().isBefore(before)) {
                // The log is in the order of time, but for moments.
                more = false;
                break;
            }
            if (line.isAnEnd()) {
                ended.add(line.orderId());
            }
        }
        for (String orderId : ended) {
            forget(tx, orderId, before);
        }
        long next = more ? page.get(page.size() - 1).sequence() : 0;
        tx.afterCommit(() -> position = next);
        return more;
    }

    private void forget(Transaction tx, String orderId, Instant before) throws SQLException {
        List<Kept> events =
                tx.list(OF_ORDER, row -> new Kept(StoredEvent.of(row).event(), row.getBoolean("needed")), orderId);
        if (events.stream().noneMatch(Kept::needed)) {
            List<CloudEvent> all = events.stream().map(Kept::event).toList();
            for (Forgetting other : others) {
                other.forget(tx, orderId, all, before);
            }
            tx.update(DELETE, orderId);
        }
    }
}
