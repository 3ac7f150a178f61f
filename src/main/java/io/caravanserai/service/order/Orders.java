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

/** The orders table: accepting and reading. Thread-safe. */
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

    /** An order of more lines is read anew each time, so that what is remembered has a bound. */
    private static final int MOST_LINES_REMEMBERED = 20;

    private static final int REMEMBERED = 4_096;

    private final Clock clock;
    private final Clock running;
    /** Orders of late: what was accepted never changes, and each step asks for it. */
    private final Map<String, Known> remembered = Collections.synchronizedMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Known> eldest) {
            return size() > REMEMBERED;
        }
    });

    public Orders(Clock clock) {
        this(clock, clock);
    }

    /** @param running the clock of deadlines, such as one that stands still while no hub runs */
    public Orders(Clock clock, Clock running) {
        this.clock = clock;
        this.running = running;
    }

    /**
     * Takes an order in. From then on it is the hub's to bring to an end.
     *
     * @param sagaId the saga it will travel in; null in the choreography style
     * @param traceparent of the request that brought it; null when it had none
     * @return false when there is an order of that id: nothing is done
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

    /** Once it is durable: what a unit writes or reads may be undone yet. */
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

    /** An order as it stands; empty when there is none of that id. */
    public Optional<OrderView> view(Transaction tx, String orderId) throws SQLException {
        return tx.first(FIND, Orders::view, orderId);
    }

    /** The order that travels in a saga; empty when the saga is not about an order. */
    public Optional<OrderView> ofSaga(Transaction tx, String sagaId) throws SQLException {
        return tx.first(BY_SAGA, Orders::view, sagaId);
    }

    @Override
    public Optional<String> orderOfSaga(Transaction tx, String sagaId) throws SQLException {
        return tx.first(ORDER_OF_SAGA, row -> row.getString(1), sagaId, sagaId);
    }

    /**
     * How far an order has come.
     *
     * @param reason why it is, or is to be, cancelled; null when it is not
     * @param updatedAt when its status or reason last changed
     */
    public record Standing(String orderId, OrderStatus status, Reason reason, Instant updatedAt) {}

    /** How far the order has come that travels in a saga; empty when the saga is not about an order. */
    public Optional<Standing> standing(Transaction tx, String sagaId) throws SQLException {
        return tx.first(STANDING_OF_SAGA, Orders::standing, sagaId);
    }

    /** How far an order has come; empty when there is none of that id. */
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

    /** Orders, newest first. */
    public List<OrderView> list(Transaction tx, OrderFilter filter) throws SQLException {
        OrderLists.Query query = OrderLists.of(filter);
        return tx.list(query.sql(), Orders::view, query.arguments());
    }

    /**
     * Orders that have not ended, oldest first.
     *
     * @param after only those with a sequence above this one; 0 from the oldest
     * @param untouchedSince only those to which nothing has happened since
     */
    public List<OrderView> unfinished(Transaction tx, long after, Instant untouchedSince, int limit)
            throws SQLException {
        return tx.list(UNFINISHED, Orders::view, after, untouchedSince, limit);
    }

    /**
     * Ids of orders that go forward without a saga, oldest first.
     *
     * @param acceptedBy in the time that deadlines are in
     */
    public List<String> overdueWithoutSaga(Transaction tx, Instant acceptedBy, int limit) throws SQLException {
        return tx.list(OVERDUE_WITHOUT_SAGA, row -> row.getString(1), acceptedBy, limit);
    }

    /** When an order was accepted, in the time that deadlines are in; empty when there is none of that id. */
    public Optional<Instant> acceptedRunning(Transaction tx, String orderId) throws SQLException {
        return tx.first(ACCEPTED_RUNNING, row -> Instant.ofEpochMilli(row.getLong(1)), orderId);
    }

    /** How many unfinished orders a version of a flow carries. */
    public record FlowInUse(String flow, int version, long orders) {}

    /** The versions of flows that carry unfinished orders. */
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
