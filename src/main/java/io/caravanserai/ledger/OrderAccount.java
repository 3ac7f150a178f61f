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
 * What all services hold of one order. A service's part is null when the service holds nothing.
 *
 * @param payment status of the payment
 * @param amount of the payment
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

    /** Accounts by the sequence of their orders, those after the given one. */
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

    /** Which laws the order violates, each with what is wrong; empty when all agree. */
    Map<Invariant, String> violations() {
        Map<Invariant, String> found = new EnumMap<>(Invariant.class);
        switch (status) {
            case SHIPPED -> shipped(found);
            case CANCELLED -> cancelled(found);
            default -> {
                if ("SHIPPED".equals(shipment)) {
                    found.put(Invariant.SHIPMENTS, "it has a shipment and is " + status);
                }
            }
        }
        return found;
    }

    private void shipped(Map<Invariant, String> found) {
        if (!"CAPTURED".equals(payment)) {
            found.put(Invariant.MONEY, "it is shipped and no payment is captured");
            if ("REFUNDED".equals(payment)) {
                found.put(Invariant.REFUNDS, "it is shipped and its payment was refunded");
            }
        } else if (amount.compareTo(total) != 0 || !currency.equals(paidIn)) {
            found.put(
                    Invariant.MONEY,
                    "its total is " + total + " " + currency + ", its payment " + amount + " " + paidIn);
        }
        if (!"SHIPPED".equals(shipment)) {
            found.put(Invariant.SHIPMENTS, "it is shipped and has no shipment");
        }
        if (reservation != null && !reservation.equals("SHIPPED")) {
            found.put(Invariant.STOCK, "it is shipped and its items are " + reservation);
        }
    }

    private void cancelled(Map<Invariant, String> found) {
        if ("CAPTURED".equals(payment)) {
            found.put(Invariant.MONEY, "it is cancelled and its payment is kept");
            found.put(Invariant.REFUNDS, "it is cancelled and its payment is kept");
        }
        if ("SHIPPED".equals(shipment)) {
            found.put(Invariant.SHIPMENTS, "it is cancelled and has a shipment");
        }
        if ("RESERVED".equals(reservation) || "SHIPPED".equals(reservation)) {
            found.put(Invariant.STOCK, "it is cancelled and its items are " + reservation);
        }
    }
}
