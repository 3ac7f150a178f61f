package io.caravanserai.service.order;

import io.caravanserai.order.OrderStatus;
import io.caravanserai.service.order.OrderLists.Query;

/**
 * The SQL statements that list orders, newest first. Each statement has an index that ends the scan after a page, for
 * any number of orders; the remaining filters apply to few rows, or match nearly all rows.
 */
final class OrderLists {
    private static final String NEWEST = """
            SELECT seq, order_id, customer_id, status, reason, style, flow, flow_version, saga_id, total, currency,
              payment_id, tracking_number, created_at, updated_at
            FROM orders
            WHERE seq < ? AND (? IS NULL OR status = ?) AND (? IS NULL OR style = ?)
            ORDER BY seq DESC LIMIT ?
            """;
    private static final String OF_CUSTOMER = """
            SELECT seq, order_id, customer_id, status, reason, style, flow, flow_version, saga_id, total, currency,
              payment_id, tracking_number, created_at, updated_at
            FROM orders
            WHERE customer_id = ? AND seq < ? AND (? IS NULL OR status = ?) AND (? IS NULL OR style = ?)
            ORDER BY seq DESC LIMIT ?
            """;
    private static final String CANCELLED_OF_CUSTOMER = """
            SELECT seq, order_id, customer_id, status, reason, style, flow, flow_version, saga_id, total, currency,
              payment_id, tracking_number, created_at, updated_at
            FROM orders
            WHERE status = 'CANCELLED' AND customer_id = ? AND seq < ? AND (? IS NULL OR style = ?)
            ORDER BY seq DESC LIMIT ?
            """;
    /**
     * A customer may have very many orders but has few open orders: COALESCE keeps SQLite from the index on the
     * customer.
     */
    private static final String UNFINISHED_OF_CUSTOMER = """
            SELECT seq, order_id, customer_id, status, reason, style, flow, flow_version, saga_id, total, currency,
              payment_id, tracking_number, created_at, updated_at
            FROM orders
            WHERE status NOT IN ('SHIPPED', 'CANCELLED') AND status = ? AND COALESCE(customer_id, '') = ? AND seq < ?
              AND (? IS NULL OR style = ?)
            ORDER BY seq DESC LIMIT ?
            """;

    private static final String OF_STYLE = """
            SELECT seq, order_id, customer_id, status, reason, style, flow, flow_version, saga_id, total, currency,
              payment_id, tracking_number, created_at, updated_at
            FROM orders
            WHERE style = ? AND seq < ? AND (? IS NULL OR status = ?) ORDER BY seq DESC LIMIT ?
            """;
    private static final String UNFINISHED = """
            SELECT seq, order_id, customer_id, status, reason, style, flow, flow_version, saga_id, total, currency,
              payment_id, tracking_number, created_at, updated_at
            FROM orders
            WHERE status NOT IN ('SHIPPED', 'CANCELLED') AND status = ? AND seq < ? AND (? IS NULL OR style = ?)
            ORDER BY seq DESC LIMIT ?
            """;
    private static final String CANCELLED = """
            SELECT seq, order_id, customer_id, status, reason, style, flow, flow_version, saga_id, total, currency,
              payment_id, tracking_number, created_at, updated_at
            FROM orders
            WHERE status = 'CANCELLED' AND seq < ? ORDER BY seq DESC LIMIT ?
            """;
    private static final String CANCELLED_OF_STYLE = """
            SELECT seq, order_id, customer_id, status, reason, style, flow, flow_version, saga_id, total, currency,
              payment_id, tracking_number, created_at, updated_at
            FROM orders
            WHERE status = 'CANCELLED' AND style = ? AND seq < ? ORDER BY seq DESC LIMIT ?
            """;

    private OrderLists() {}

    record Query(String sql, Object[] arguments) {
        static Query of(String sql, Object... arguments) {
            return new Query(sql, arguments);
        }
    }

    static Query of(OrderFilter filter) {
        String status = filter.status() == null ? null : filter.status().name();
        String style = filter.style() == null ? null : filter.style().wire();
        String customer = filter.customerId();
        long before = filter.before() == null ? Long.MAX_VALUE : filter.before();
        int limit = filter.limit();
        boolean unfinished = filter.status() != null && !filter.status().isEnd();
        if (customer != null) {
            if (filter.status() == OrderStatus.CANCELLED) {
                return Query.of(CANCELLED_OF_CUSTOMER, customer, before, style, style, limit);
            }
            return unfinished
                    ? Query.of(UNFINISHED_OF_CUSTOMER, status, customer, before, style, style, limit)
                    : Query.of(OF_CUSTOMER, customer, before, status, status, style, style, limit);
        }
        if (filter.status() == OrderStatus.CANCELLED) {
            return style == null
                    ? Query.of(CANCELLED, before, limit)
                    : Query.of(CANCELLED_OF_STYLE, style, before, limit);
        }
        if (unfinished) {
            return Query.of(UNFINISHED, status, before, style, style, limit);
        }
        return style == null
                ? Query.of(NEWEST, before, status, status, style, style, limit)
                : Query.of(OF_STYLE, style, before, status, status, limit);
    }
}
