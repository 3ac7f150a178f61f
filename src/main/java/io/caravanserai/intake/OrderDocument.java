package io.caravanserai.intake;

import io.caravanserai.http.Problem;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Reason;
import io.caravanserai.service.order.HistoryEntry;
import io.caravanserai.service.order.OrderHistory;
import io.caravanserai.service.order.OrderView;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Transaction;
import io.caravanserai.support.Timestamps;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/**
 * The JSON document of an order, over REST and in replies to messages.
 * @param history null in lists
 */
public record OrderDocument(
        String orderId,
        OrderStatus status,
        String reason,
        String style,
        String flow,
        int flowVersion,
        String sagaId,
        String customerId,
        BigDecimal total,
        String currency,
        String paymentId,
        String trackingNumber,
        String createdAt,
        String updatedAt,
        List<Entry> history) {

    /**
     * @param detail may be null
     * @param nextAt null when no further attempt was planned
     */
    public record Entry(
            String at, String kind, String name, String outcome, int attempt, String detail, String nextAt) {}

    /** Reads an order with the history; empty for an unknown id. */
    public static Optional<OrderDocument> read(Transaction tx, Orders orders, OrderHistory history, String orderId)
            throws SQLException {
        Optional<OrderView> view = orders.view(tx, orderId);
        return view.isEmpty()
                ? Optional.empty()
                : Optional.of(of(
                        view.get(),
                        history.of(tx, orderId).stream()
                                .map(OrderDocument::entry)
                                .toList()));
    }

    static OrderDocument withoutHistory(OrderView view) {
        return of(view, null);
    }

    private static Entry entry(HistoryEntry entry) {
        return new Entry(
                Timestamps.text(entry.at()),
                entry.kind(),
                entry.name(),
                entry.outcome(),
                entry.attempt(),
                entry.detail(),
                entry.nextAt() == null ? null : Timestamps.text(entry.nextAt()));
    }

    private static OrderDocument of(OrderView view, List<Entry> history) {
        return new OrderDocument(
                view.orderId(),
                view.status(),
                Optional.ofNullable(view.reason()).map(Reason::wire).orElse(null),
                view.style().wire(),
                view.flow(),
                view.flowVersion(),
                view.sagaId(),
                view.customerId(),
                view.total(),
                view.currency(),
                view.paymentId(),
                view.trackingNumber(),
                Timestamps.text(view.createdAt()),
                Timestamps.text(view.updatedAt()),
                history);
    }

    /** Returns the problem for the sender of a cancelled order. */
    public Problem cancelled() {
        return Problem.of(409, "the order was cancelled: " + reason)
                .with("orderId", orderId)
                .with("orderStatus", status)
                .with("reason", reason);
    }
}
