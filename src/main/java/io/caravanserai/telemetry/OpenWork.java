package io.caravanserai.telemetry;

import io.caravanserai.saga.SagaStatus;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The open work in the store at one moment.
 *
 * @param sagas open sagas by status
 * @param orders open orders by style
 * @param oldestOrderSeconds age of the oldest open order; 0 when there is none
 * @param outbox unsent events by destination
 * @param outboxOldestSeconds age of the oldest unsent event by destination; 0 when there is none
 * @param flows open orders by version of the flow that carries the order
 * @param deadLetters unsettled dead unsettled by source and reason, at most 100 pairs
 */
public record OpenWork(
        Map<SagaStatus, Long> sagas,
        Map<String, Long> orders,
        long oldestOrderSeconds,
        Map<String, Long> outbox,
        Map<String, Long> outboxOldestSeconds,
        List<FlowOrders> flows,
        List<Letters> deadLetters) {
    /** COALESCE keeps SQLite from an index that has the order of the groups, and all orders there ever were. */
    private static final String ORDERS = """
            SELECT COALESCE(style, ''), flow, flow_version, COUNT(*), MIN(created_at) FROM orders
            WHERE status NOT IN ('SHIPPED', 'CANCELLED') GROUP BY COALESCE(style, ''), flow, flow_version
            """;

    private static final String TO_BUS = "SELECT COUNT(*), MIN(at) FROM events WHERE sent_at IS NULL";
    private static final String TO_KAFKA = "SELECT COUNT(*), MIN(at) FROM events WHERE kafka_sent_at = 0";
    /** External senders choose the source names, so the number of time series is limited. */
    private static final String DEAD_LETTERS = """
            SELECT source, reason, COUNT(*) FROM dead_letters
            WHERE settled_at IS NULL GROUP BY source, reason ORDER BY 3 DESC LIMIT 100
            """;

    /** The number of open orders of one flow version. */
    public record FlowOrders(String flow, int version, long orders) {}

    private record Pending(long count, long oldestSeconds) {}

    /** The number of unsettled dead unsettled of one source and reason. */
    public record Letters(String source, String reason, long count) {}

    /** Empty, for a store that cannot be read. */
    public static OpenWork none() {
        return new OpenWork(Map.of(), Map.of(), 0, Map.of(), Map.of(), List.of(), List.of());
    }

    public static OpenWork read(Transaction tx, Map<SagaStatus, Long> sagas, Clock clock) throws SQLException {
        Map<String, Long> orders = new LinkedHashMap<>();
        List<FlowOrders> flows = new ArrayList<>();
        List<Long> ages = new ArrayList<>();
        tx.list(ORDERS, row -> {
            ages.add(age(row.getLong(5), clock));
            orders.merge(row.getString(1), row.getLong(4), Long::sum);
            return flows.add(new FlowOrders(row.getString(2), row.getInt(3), row.getLong(4)));
        });
        Map<String, Pending> pending = Map.of("bus", pending(tx, TO_BUS, clock), "kafka", pending(tx, TO_KAFKA, clock));
        Map<String, Long> outbox = new HashMap<>();
        Map<String, Long> oldest = new HashMap<>();
        pending.forEach((destination, events) -> {
            outbox.put(destination, events.count());
            oldest.put(destination, events.oldestSeconds());
        });
        List<Letters> unsettled =
                tx.list(DEAD_LETTERS, row -> new Letters(row.getString(1), row.getString(2), row.getLong(3)));
        return new OpenWork(
                sagas, orders, ages.stream().max(Long::compare).orElse(0L), outbox, oldest, flows, unsettled);
    }

    private static Pending pending(Transaction tx, String query, Clock clock) throws SQLException {
        return tx.first(query, row -> new Pending(row.getLong(1), row.getLong(1) == 0 ? 0 : age(row.getLong(2), clock)))
                .orElse(new Pending(0, 0));
    }

    private static long age(long epochMillis, Clock clock) {
        return Math.max(
                0,
                Duration.between(Instant.ofEpochMilli(epochMillis), clock.instant())
                        .toSeconds());
    }
}
