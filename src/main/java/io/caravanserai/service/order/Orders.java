package io.caravanserai.service.order;

import io.caravanserai.event.EventContext;
import io.caravanserai.order.Order;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.order.Reason;
import io.caravanserai.service.OrderLookup;
import io.caravanserai.store.Transaction;
import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Accepts and reads orders. Owns the orders table. Thread-safe. */
public final class Orders implements OrderLookup {
    private static final String INSERT = """
            INSERT INTO orders (order_id, customer_id, style, flow, flow_version, saga_id, traceparent, status,
              total, currency, body, created_at, accepted_running, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, 'CREATED', ?, ?, ?, ?, ?, ?)
            ON CONFLICT (order_id) DO NOTHING
            """;
    private static final String LOOKUP = "SELECT body, saga_id, traceparent, style FROM orders WHERE order_id = ?";
    private static final String FIND = """
            SELECT seq, order_id, customer_id, status, reason, style, flow, flow_version, saga_id, total, currency,
              payment_id, tracking_number, created_at, updated_at
            FROM orders WHERE order_id = ?
            """;
    private static final String UNFINISHED = """
            SELECT seq, order_id, customer_id, status, reason, style, flow, flow_version, saga_id, total, currency,
              payment_id, tracking_number, created_at, updated_at
            FROM orders
            WHERE status NOT IN ('SHIPPED', 'CANCELLED') AND seq > ? AND updated_at <= ? ORDER BY seq LIMIT ?
            """;
    private static final String ORDER_OF_SAGA = """
            SELECT order_id FROM orders WHERE saga_id = ?
            UNION ALL
            SELECT order_id FROM reaction_sagas WHERE saga_id = ?
            """;
    private static final String BY_SAGA = """
            SELECT seq, order_id, customer_id, status, reason, style, flow, flow_version, saga_id, total, currency,
              payment_id, tracking_number, created_at, updated_at
            FROM orders WHERE saga_id = ?
            """;
    private static final String STANDING_OF_SAGA =
            "SELECT order_id, status, reason, updated_at FROM orders WHERE saga_id = ?";
    private static final String STANDING_OF_ORDER =
            "SELECT order_id, status, reason, updated_at FROM orders WHERE order_id = ?";
    private static final String FLOWS_IN_USE = """
            SELECT flow, flow_version, COUNT(*) FROM orders
            WHERE status NOT IN ('SHIPPED', 'CANCELLED') GROUP BY flow, flow_version
            """;

    private static final String OVERDUE_WITHOUT_SAGA = """
            SELECT order_id FROM orders
            WHERE COALESCE(saga_id, '') = '' AND reason IS NULL AND status NOT IN ('SHIPPED', 'CANCELLED')
              AND accepted_running <= ?
            ORDER BY accepted_running LIMIT ?
            """;
    private static final String ACCEPTED_RUNNING =
            "SELECT COALESCE(accepted_running, created_at) FROM orders WHERE order_id = ?";

    /** Larger orders are read from the database each time, so that the cache has a bound. */
    private static final int MOST_LINES_REMEMBERED = 20;

    private static final int REMEMBERED = 4_096;

    private final Clock clock;
    private final Clock running;
    /** Cache of recent orders. An accepted order never changes, and each step reads the order. */
    private final Map<String, Known> remembered = Collections.synchronizedMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Known> eldest) {
            return size() > REMEMBERED;
        }
    });

    public Orders(Clock clock) {
        this(clock, clock);
    }

    /** @param running the clock of deadlines, for example a clock that stands still while no hub runs */
    public Orders(Clock clock, Clock running) {
        this.clock = clock;
        this.running = running;
    }

    /**
     * Accepts an order. From then on the hub must bring the order to an end.
     * @param sagaId id of the saga for the order; null in the choreography style
     * @param traceparent trace context of the request; may be null
     * @return false when an order with the id exists; nothing is done then
     */
    public boolean accept(
            Transaction tx, Order order, OrderStyle style, int flowVersion, String sagaId, String traceparent)
            throws SQLException {
        Instant now = clock.instant();
        boolean accepted = tx.update(
                        INSERT,
                        order.orderId(),
                        order.customerId(),
                        style.wire(),
                        style.flow(),
                        flowVersion,
                        sagaId,
                        traceparent,
                        order.total().amount(),
                        order.currency().code(),
                        OrderJson.write(order),
                        now,
                        running.instant(),
                        now)
                == 1;
        if (accepted) {
            remember(tx, new Known(order, new EventContext(sagaId, null, traceparent, style)));
        }
        return accepted;
    }

    @Override
    public Optional<Known> find(Transaction tx, String orderId) throws SQLException {
        Known known = remembered.get(orderId);
        if (known != null) {
            return Optional.of(known);
        }
        Optional<Known> read = read(tx, orderId);
        read.ifPresent(order -> remember(tx, order));
        return read;
    }

    /** Caches the order once the unit is durable; an open unit may be rolled back. */
    private void remember(Transaction tx, Known known) {
        if (known.order().items().size() <= MOST_LINES_REMEMBERED) {
            tx.afterCommit(() -> remembered.put(known.order().orderId(), known));
        }
    }

    private static Optional<Known> read(Transaction tx, String orderId) throws SQLException {
        return tx.first(
                LOOKUP,
                row -> new Known(
                        OrderJson.read(row.getString("body")),
                        new EventContext(
                                row.getString("saga_id"),
                                null,
                                row.getString("traceparent"),
                                OrderStyle.of(row.getString("style")).orElseThrow())),
                orderId);
    }

    /** Returns the current state of an order; empty for an unknown id. */
    public Optional<OrderView> view(Transaction tx, String orderId) throws SQLException {
        return tx.first(FIND, Orders::view, orderId);
    }

    /** Returns the order of a saga; empty when the saga has no order. */
    public Optional<OrderView> ofSaga(Transaction tx, String sagaId) throws SQLException {
        return tx.first(BY_SAGA, Orders::view, sagaId);
    }

    @Override
    public Optional<String> orderOfSaga(Transaction tx, String sagaId) throws SQLException {
        return tx.first(ORDER_OF_SAGA, row -> row.getString(1), sagaId, sagaId);
    }

    /**
     * The progress of an order.
     * @param reason of the cancellation; null when the order is not cancelled or being cancelled
     * @param updatedAt time of the last change of status or reason
     */
    public record Standing(String orderId, OrderStatus status, Reason reason, Instant updatedAt) {}

    /** Returns the progress of the order of a saga; empty when the saga has no order. */
    public Optional<Standing> standing(Transaction tx, String sagaId) throws SQLException {
        return tx.first(STANDING_OF_SAGA, Orders::standing, sagaId);
    }

    /** Returns the progress of an order; empty for an unknown id. */
    public Optional<Standing> standingOf(Transaction tx, String orderId) throws SQLException {
        return tx.first(STANDING_OF_ORDER, Orders::standing, orderId);
    }

    private static Standing standing(ResultSet row) throws SQLException {
        return new Standing(
                row.getString(1),
                OrderStatus.valueOf(row.getString(2)),
                reason(row.getString(3)),
                Instant.ofEpochMilli(row.getLong(4)));
    }

    private static Reason reason(String wire) {
        return wire == null ? null : Reason.ofWire(wire);
    }

    /** Returns orders, newest first. */
    public List<OrderView> list(Transaction tx, OrderFilter filter) throws SQLException {
        OrderLists.Query query = OrderLists.of(filter);
        return tx.list(query.sql(), Orders::view, query.arguments());
    }

    /**
     * Returns orders that have not ended, oldest first.
     * @param after only orders with a sequence above this sequence; 0 starts from the oldest
     * @param untouchedSince only orders without a change since then
     */
    public List<OrderView> unfinished(Transaction tx, long after, Instant untouchedSince, int limit)
            throws SQLException {
        return tx.list(UNFINISHED, Orders::view, after, untouchedSince, limit);
    }

    /**
     * Returns the ids of orders without a saga that go forward, oldest first.
     * @param acceptedBy in the time of the deadline clock
     */
    public List<String> overdueWithoutSaga(Transaction tx, Instant acceptedBy, int limit) throws SQLException {
        return tx.list(OVERDUE_WITHOUT_SAGA, row -> row.getString(1), acceptedBy, limit);
    }

    /** Returns the acceptance time of an order in the time of the deadline clock; empty for an unknown id. */
    public Optional<Instant> acceptedRunning(Transaction tx, String orderId) throws SQLException {
        return tx.first(ACCEPTED_RUNNING, row -> Instant.ofEpochMilli(row.getLong(1)), orderId);
    }

    /** The number of unfinished orders of a flow version. */
    public record FlowInUse(String flow, int version, long orders) {}

    /** Returns the flow versions with unfinished orders. */
    public List<FlowInUse> flowsInUse(Transaction tx) throws SQLException {
        return tx.list(FLOWS_IN_USE, row -> new FlowInUse(row.getString(1), row.getInt(2), row.getLong(3)));
    }

    private static OrderView view(ResultSet row) throws SQLException {
        return new OrderView(
                row.getString("order_id"),
                row.getString("customer_id"),
                OrderStatus.valueOf(row.getString("status")),
                reason(row.getString("reason")),
                OrderStyle.of(row.getString("style")).orElseThrow(),
                row.getString("flow"),
                row.getInt("flow_version"),
                row.getString("saga_id"),
                new BigDecimal(row.getString("total")),
                row.getString("currency"),
                row.getString("payment_id"),
                row.getString("tracking_number"),
                Instant.ofEpochMilli(row.getLong("created_at")),
                Instant.ofEpochMilli(row.getLong("updated_at")),
                row.getLong("seq"));
    }
}
