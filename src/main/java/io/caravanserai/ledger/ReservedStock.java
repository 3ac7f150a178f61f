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

/** Compares the reserved quantities in stock with the reservations of orders in flight. */
final class ReservedStock {
    private static final TypeReference<Map<String, Long>> QUANTITIES = new TypeReference<>() {};
    /** Above this number of orders in flight the comparison is skipped: the queries would slow the orders down. */
    private static final int MAX_ORDERS = 5_000;

    private static final String HELD = """
            SELECT r.items FROM orders o JOIN reservations r ON r.order_id = o.order_id
            WHERE o.status NOT IN ('SHIPPED', 'CANCELLED') AND r.status = 'RESERVED' LIMIT ?
            """;
    private static final String COUNTED = "SELECT sku, reserved FROM stock WHERE reserved <> 0";

    private ReservedStock() {}

    /** The difference by sku; empty when both agree, or when too many orders are in flight to compare. */
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
                : Optional.of("reserved in stock minus held by orders in flight: " + difference);
    }

    private static Map<String, Long> quantities(String items) {
        try {
            return OrderJson.MAPPER.readValue(items, QUANTITIES);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot read the items of a reservation: " + items, e);
        }
    }
}
