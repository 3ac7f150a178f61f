package io.caravanserai.ledger;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import io.caravanserai.order.OrderJson;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Compares what stock counts as reserved with what orders under way have reserved. */
final class ReservedStock {
    private static final TypeReference<Map<String, Long>> QUANTITIES = new TypeReference<>() {};
    /** With more orders under way the comparison would take time from them. */
    private static final int MAX_ORDERS = 5_000;

    private static final String HELD = """
            SELECT r.items FROM orders o JOIN reservations r ON r.order_id = o.order_id
            WHERE o.status NOT IN ('SHIPPED', 'CANCELLED') AND r.status = 'RESERVED' LIMIT ?
            """;
    private static final String COUNTED = "SELECT sku, reserved FROM stock WHERE reserved <> 0";

    private ReservedStock() {}

    /** What is wrong; empty when both agree, or when too many orders are under way to tell. */
    static Optional<String> fault(Transaction tx) throws SQLException {
        List<String> held = tx.list(HELD, row -> row.getString(1), MAX_ORDERS + 1);
        if (held.size() > MAX_ORDERS) {
            return Optional.empty();
        }
        Map<String, Long> difference = new TreeMap<>();
        tx.list(COUNTED, row -> difference.put(row.getString(1), row.getLong(2)));
        for (String items : held) {
            quantities(items).forEach((sku, quantity) -> difference.merge(sku, -quantity, Long::sum));
        }
        difference.values().removeIf(each -> each == 0);
        return difference.isEmpty()
                ? Optional.empty()
                : Optional.of("reserved in stock, less what orders under way hold: " + difference);
    }

    private static Map<String, Long> quantities(String items) {
        try {
            return OrderJson.MAPPER.readValue(items, QUANTITIES);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a reservation's items cannot be read: " + items, e);
        }
    }
}
