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
 * What is open in the store at one moment.
 *
 * @param sagas that have not ended, by status
 * @param orders that have not ended, by style
 * @param oldestOrderSeconds age of the oldest of them; 0 when there is none
 * @param outbox events still to be sent, by destination
 */
public record OpenWork(
        Map<SagaStatus, Long> sagas,
        Map<String, Long> orders,
        long oldestOrderSeconds,
        Map<String, Long> outbox,
        List<Letters> deadLetters) {
    private static final String ORDERS = """
            SELECT style, COUNT(*), MIN(created_at) FROM orders
            WHERE status NOT IN ('SHIPPED', 'CANCELLED') GROUP BY style
            """;
    private static final String TO_BUS = "SELECT COUNT(*) FROM events WHERE sent_at IS NULL";
    private static final String TO_KAFKA = "SELECT COUNT(*) FROM events WHERE kafka_sent_at = 0";
    /** Sources may be named by anybody who sends messages: only so many become time series. */
    private static final String LETTERS = """
            SELECT source, reason, COUNT(*) FROM dead_letters
            WHERE settled_at IS NULL GROUP BY source, reason ORDER BY 3 DESC LIMIT 100
            """;

    /** Dead letters that wait for somebody. */
    public record Letters(String source, String reason, long count) {}

    /** Nothing, where the store cannot be read. */
    public static OpenWork none() {
        return new OpenWork(Map.of(), Map.of(), 0, Map.of(), List.of());
    }

    public static OpenWork read(Transaction tx, Map<SagaStatus, Long> sagas, Clock clock) throws SQLException {
        Map<String, Long> orders = new LinkedHashMap<>();
        List<Instant> oldest = new ArrayList<>();
        tx.list(ORDERS, row -> {
            oldest.add(Instant.ofEpochMilli(row.getLong(3)));
            return orders.put(row.getString(1), row.getLong(2));
        });
        long age = oldest.stream()
                .mapToLong(at -> Duration.between(at, clock.instant()).toSeconds())
                .max()
                .orElse(0);
        Map<String, Long> outbox = new HashMap<>();
        outbox.put("bus", tx.first(TO_BUS, row -> row.getLong(1)).orElse(0L));
        outbox.put("kafka", tx.first(TO_KAFKA, row -> row.getLong(1)).orElse(0L));
        List<Letters> letters =
                tx.list(LETTERS, row -> new Letters(row.getString(1), row.getString(2), row.getLong(3)));
        return new OpenWork(sagas, orders, Math.max(0, age), outbox, letters);
    }
}
