package io.caravanserai.ledger;

import io.caravanserai.order.OrderStatus;
import io.caravanserai.store.Transaction;
import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The records of all services about one order. The fields of a service are null when that service has no record.
 *
 * @param payment status of the payment
 * @param amount amount of the payment
 * @param paidIn currency of the payment
 * @param shipment status of the shipment
 * @param reservation status of the reservation
 */
record OrderAccount(
        long sequence,
        String orderId,
        OrderStatus status,
        BigDecimal total,
        String currency,
        String payment,
        BigDecimal amount,
        String paidIn,
        String shipment,
        String reservation) {
    private static final String ONE = """
            SELECT o.seq, o.order_id, o.status, o.total, o.currency,
              p.status, p.amount, p.currency, s.status, r.status
            FROM orders o
            LEFT JOIN payments p ON p.order_id = o.order_id
            LEFT JOIN shipments s ON s.order_id = o.order_id
            LEFT JOIN reservations r ON r.order_id = o.order_id
            WHERE o.order_id = ?
            """;
    private static final String PAGE = """
            SELECT o.seq, o.order_id, o.status, o.total, o.currency,
              p.status, p.amount, p.currency, s.status, r.status
            FROM orders o
            LEFT JOIN payments p ON p.order_id = o.order_id
            LEFT JOIN shipments s ON s.order_id = o.order_id
            LEFT JOIN reservations r ON r.order_id = o.order_id
            WHERE o.seq > ? ORDER BY o.seq LIMIT ?
            """;

    static List<OrderAccount> of(Transaction tx, String orderId) throws SQLException {
        return tx.list(ONE, OrderAccount::read, orderId);
    }

    /** Accounts with an order sequence above the given one, in ascending order. */
    static List<OrderAccount> after(Transaction tx, long sequence, int limit) throws SQLException {
        return tx.list(PAGE, OrderAccount::read, sequence, limit);
    }

    private static OrderAccount read(ResultSet row) throws SQLException {
        return new OrderAccount(
                row.getLong(1),
                row.getString(2),
                OrderStatus.valueOf(row.getString(3)),
                new BigDecimal(row.getString(4)),
                row.getString(5),
                row.getString(6),
                row.getString(7) == null ? null : new BigDecimal(row.getString(7)),
                row.getString(8),
                row.getString(9),
                row.getString(10));
    }

    /** The violated invariants, each with a description; empty when the order is consistent. */
    Map<Invariant, String> violations() {
        Map<Invariant, String> found = new EnumMap<>(Invariant.class);
        switch (status) {
            case SHIPPED -> shipped(found);
            case CANCELLED -> cancelled(found);
            default -> {
                if ("SHIPPED".equals(shipment)) {
                    found.put(Invariant.SHIPMENTS, "order is " + status + " but has a shipment");
                }
            }
        }
        return found;
    }

    private void shipped(Map<Invariant, String> found) {
        if (!"CAPTURED".equals(payment)) {
            found.put(Invariant.MONEY, "order is SHIPPED but no payment is captured");
            if ("REFUNDED".equals(payment)) {
                found.put(Invariant.REFUNDS, "order is SHIPPED but the payment was refunded");
            }
        } else if (amount.compareTo(total) != 0 || !currency.equals(paidIn)) {
            found.put(
                    Invariant.MONEY,
                    "order total is " + total + " " + currency + " but the payment is " + amount + " " + paidIn);
        }
        if (!"SHIPPED".equals(shipment)) {
            found.put(Invariant.SHIPMENTS, "order is SHIPPED but has no shipment");
        }
        if (reservation != null && !reservation.equals("SHIPPED")) {
            found.put(Invariant.STOCK, "order is SHIPPED but the items are " + reservation);
        }
    }

    private void cancelled(Map<Invariant, String> found) {
        if ("CAPTURED".equals(payment)) {
            found.put(Invariant.MONEY, "order is CANCELLED but the payment is kept");
            found.put(Invariant.REFUNDS, "order is CANCELLED but the payment is kept");
        }
        if ("SHIPPED".equals(shipment)) {
            found.put(Invariant.SHIPMENTS, "order is CANCELLED but has a shipment");
        }
        if ("RESERVED".equals(reservation) || "SHIPPED".equals(reservation)) {
            found.put(Invariant.STOCK, "order is CANCELLED but the items are " + reservation);
        }
    }
}
