package io.caravanserai.subscriber.analytics;

import io.caravanserai.event.CloudEvent;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.store.Transaction;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** The SQL tables of the figures. */
final class SqlFigures {
    private static final String LIVE = "SELECT generation FROM analytics_live WHERE one = 1";
    private static final String GO_LIVE = "UPDATE analytics_live SET generation = ?, building = NULL WHERE one = 1";
    private static final String BUILD = "UPDATE analytics_live SET building = ? WHERE one = 1";
    private static final String BUILDING = "SELECT building FROM analytics_live WHERE one = 1 AND building IS NOT NULL";
    private static final String BEGIN = """
            INSERT INTO analytics_figures (generation, figure, label, value)
            SELECT ?, figure, label, value FROM analytics_figures WHERE generation = 0
            """;
    private static final String COUNTED =
            "SELECT status, last_event FROM analytics_orders WHERE generation = ? AND order_id = ?";
    private static final String COUNT = """
            INSERT INTO analytics_orders (generation, order_id, status, last_event) VALUES (?, ?, ?, ?)
            ON CONFLICT (generation, order_id) DO UPDATE SET status = excluded.status, last_event = excluded.last_event
            """;
    private static final String VALUE =
            "SELECT value FROM analytics_figures WHERE generation = ? AND figure = ? AND label = ?";
    private static final String SET = """
            INSERT INTO analytics_figures (generation, figure, label, value) VALUES (?, ?, ?, ?)
            ON CONFLICT (generation, figure, label) DO UPDATE SET value = excluded.value
            """;
    private static final String ALL =
            "SELECT figure, label, value FROM analytics_figures WHERE generation = ? ORDER BY figure, label";
    private static final String DROP_FIGURES = "DELETE FROM analytics_figures WHERE generation NOT IN (0, ?)";
    private static final String DROP_ORDERS = "DELETE FROM analytics_orders WHERE generation <> ?";

    /** Generation of the totals of purged orders. */
    private static final long FORGOTTEN = 0;

    private record Counted(OrderStatus status, String lastEvent) {
        static final Counted NOTHING = new Counted(null, "");
    }

    /** The value of a figure for a label. */
    record Value(Changes.Figure figure, String label, BigDecimal value) {}

    long live(Transaction tx) throws SQLException {
        return tx.first(LIVE, row -> row.getLong(1)).orElseThrow();
    }

    void goLive(Transaction tx, long generation) throws SQLException {
        tx.update(GO_LIVE, generation);
    }

    /** Begins a generation with the totals of purged orders. */
    void begin(Transaction tx, long generation) throws SQLException {
        tx.update(BUILD, generation);
        tx.update(BEGIN, generation);
    }

    /** Adds a purged order with all events to the totals. */
    void fold(Transaction tx, List<CloudEvent> events) throws SQLException {
        Changes changes = new Changes();
        OrderStatus status = null;
        for (CloudEvent event : events) {
            status = changes.count(event, status);
        }
        changes.forEach((figure, label, by) -> add(tx, FORGOTTEN, figure, label, by));
        // Counts events that no delivery has counted yet: the log will not have the events any more.
        count(tx, live(tx), events);
        Optional<Long> building = tx.first(BUILDING, row -> row.getLong(1));
        if (building.isPresent()) {
            // A running rebuild began without the order.
            count(tx, building.get(), events);
        }
    }

    /** Counts events that are not counted yet. A duplicate counts nothing. */
    void count(Transaction tx, long generation, List<CloudEvent> events) throws SQLException {
        count(tx, generation, events, (event, last) -> List.of(event));
    }

    /** Counts all uncounted events in the log of the orders of the given events, if a given event is uncounted. */
    void countHeard(Transaction tx, long generation, List<CloudEvent> heard) throws SQLException {
        count(tx, generation, heard, (event, last) -> EventLog.ofOrder(tx, event.orderId(), last));
    }

    private interface ToCount {
        /** @param last id of the last counted event of the order; below any id when no event was counted */
        List<CloudEvent> dueTo(CloudEvent event, String last) throws SQLException;
    }

    private void count(Transaction tx, long generation, List<CloudEvent> events, ToCount toCount) throws SQLException {
        Changes changes = new Changes();
        for (CloudEvent event : events) {
            Counted counted = tx.first(
                            COUNTED,
                            row -> new Counted(
                                    row.getString(1) == null ? null : OrderStatus.valueOf(row.getString(1)),
                                    row.getString(2)),
                            generation,
                            event.orderId())
                    .orElse(Counted.NOTHING);
            if (counted.lastEvent().compareTo(event.id()) < 0) {
                count(tx, generation, counted, toCount.dueTo(event, counted.lastEvent()), changes);
            }
        }
        changes.forEach((figure, label, by) -> add(tx, generation, figure, label, by));
    }

    private static void count(Transaction tx, long generation, Counted before, List<CloudEvent> events, Changes changes)
            throws SQLException {
        if (events.isEmpty()) {
            return;
        }
        OrderStatus status = before.status();
        for (CloudEvent event : events) {
            status = changes.count(event, status);
        }
        CloudEvent last = events.get(events.size() - 1);
        tx.update(COUNT, generation, last.orderId(), status == null ? null : status.name(), last.id());
    }

    private void add(Transaction tx, long generation, Changes.Figure figure, String label, BigDecimal by)
            throws SQLException {
        BigDecimal before = tx.first(VALUE, row -> new BigDecimal(row.getString(1)), generation, figure.name(), label)
                .orElse(BigDecimal.ZERO);
        tx.update(SET, generation, figure.name(), label, before.add(by));
    }

    List<Value> all(Transaction tx) throws SQLException {
        return tx.list(
                ALL,
                row -> new Value(
                        Changes.Figure.valueOf(row.getString(1)), row.getString(2), new BigDecimal(row.getString(3))),
                live(tx));
    }

    /** Deletes all generations except this generation and the totals of purged orders. */
    void dropOthers(Transaction tx, long generation) throws SQLException {
        tx.update(DROP_FIGURES, generation);
        tx.update(DROP_ORDERS, generation);
    }
}
