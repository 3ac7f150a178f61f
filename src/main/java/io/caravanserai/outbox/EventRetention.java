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
 * Deletes the events of orders that ended before the retention period. An order is deleted as a whole. Open orders,
 * unsent events and the last event of the log are kept. Not thread-safe.
 */
public final class EventRetention {
    private static final String PAGE =
            "SELECT sequence, order_id, type, at FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?";
    /** Keeps the last event, so that the sequence number is not assigned again. */
    private static final String OF_ORDER = """
            SELECT *, sent_at IS NULL OR kafka_sent_at = 0 OR sequence = (SELECT MAX(sequence) FROM events) AS needed
            FROM events WHERE order_id = ? ORDER BY sequence
            """;

    private static final String DELETE = "DELETE FROM events WHERE order_id = ?";
    private static final int BATCH = 200;

    private final Duration retention;
    private final Clock clock;
    private final List<Forgetting> others;
    private volatile long position;

    /** Deletes further data of an order that only serves the history or the deduplication of events. */
    @FunctionalInterface
    public interface Forgetting {

        /**
         * Runs in the transaction that deletes the events of an order.
         *
         * @param events all events of the order, oldest first
         * @param before data recorded later than this time must be kept
         */
        void forget(Transaction tx, String orderId, List<CloudEvent> events, Instant before) throws SQLException;
    }

    public EventRetention(Duration retention, Clock clock, List<Forgetting> others) {
        this.retention = retention;
        this.clock = clock;
        this.others = List.copyOf(others);
    }

    private record Line(long sequence, String orderId, EventType type, Instant at) {
        boolean isFinal() {
            return type == EventType.OrderShipped || type == EventType.OrderCancelled;
        }
    }

    private record Kept(CloudEvent event, boolean needed) {}

    /** Examines a batch of events. The next call continues after the batch. False when the scan has reached the end. */
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
                BATCH);
        Set<String> ended = new HashSet<>();
        boolean more = page.size() == BATCH;
        for (Line line : page) {
            if (!line.at().isBefore(before)) {
                // The log is ordered by time, except for small differences between writers.
                more = false;
                break;
            }
            if (line.isFinal()) {
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
