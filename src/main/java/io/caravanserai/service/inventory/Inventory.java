package io.caravanserai.service.inventory;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventType;
import io.caravanserai.event.OrderEvent;
import io.caravanserai.order.Order;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Step;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.service.OrderClosedException;
import io.caravanserai.service.StepLog;
import io.caravanserai.service.StepOutcome;
import io.caravanserai.store.Transaction;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Reserves and releases the items of orders. Thread-safe. */
public final class Inventory {
    private static final TypeReference<TreeMap<String, Long>> QUANTITIES = new TypeReference<>() {};

    private static final String FIND = "SELECT status, reason FROM reservations WHERE order_id = ?";
    private static final String INSERT = """
            INSERT INTO reservations (order_id, status, items, at) VALUES (?, 'RESERVED', ?, ?)
            ON CONFLICT (order_id) DO NOTHING
            """;
    private static final String REFUSE = "UPDATE reservations SET status = 'REFUSED', reason = ? WHERE order_id = ?";
    private static final String TURN = "UPDATE reservations SET status = ?, at = ? WHERE order_id = ? AND status = ?";
    private static final String SHIPPED = """
            UPDATE reservations SET status = 'SHIPPED', at = ? WHERE order_id = ? AND status = 'RESERVED' RETURNING items
            """;
    private static final String IS_KNOWN = "SELECT 1 FROM stock WHERE sku = ?";
    private static final String RESERVE =
            "UPDATE stock SET on_hand = on_hand - ?, reserved = reserved + ? WHERE sku = ? AND on_hand >= ?";
    private static final String RELEASE =
            "UPDATE stock SET on_hand = on_hand + ?, reserved = reserved - ? WHERE sku = ?";
    private static final String SHIP = "UPDATE stock SET reserved = reserved - ?, shipped = shipped + ? WHERE sku = ?";

    private final Outbox outbox;
    private final StepLog stepLog;
    private final Clock clock;

    public Inventory(Outbox outbox, StepLog stepLog, Clock clock) {
        this.outbox = outbox;
        this.stepLog = stepLog;
        this.clock = clock;
    }

    private record Reservation(String status, String reason) {}

    /** Reserves all items of an order, or none. */
    public StepOutcome reserve(Transaction tx, Order order, EventContext context) throws SQLException {
        // Sorted, so that two orders do not deadlock on each other's rows.
        SortedMap<String, Long> quantities = new TreeMap<>(order.quantities());
        if (tx.update(INSERT, order.orderId(), json(quantities), clock.instant()) == 0) {
            return asDecided(order, find(tx, order.orderId()).orElseThrow());
        }
        Optional<Reason> refusal = take(tx, quantities);
        if (refusal.isPresent()) {
            return refuse(tx, order, refusal.get(), context);
        }
        outbox.append(tx, order.orderId(), new EventData.ItemsReserved(), 1, context);
        return StepOutcome.DONE;
    }

    private static StepOutcome asDecided(Order order, Reservation earlier) {
        return switch (earlier.status()) {
            case "REFUSED" -> new StepOutcome.Refused(Reason.ofWire(earlier.reason()));
            case "RELEASED" -> throw new OrderClosedException(order.orderId(), "reservation");
            default -> StepOutcome.DONE;
        };
    }

    /** Reserves all quantities. On failure puts the reserved quantities back and returns the reason. */
    private static Optional<Reason> take(Transaction tx, SortedMap<String, Long> quantities) throws SQLException {
        for (Map.Entry<String, Long> each : quantities.entrySet()) {
            if (tx.update(RESERVE, each.getValue(), each.getValue(), each.getKey(), each.getValue()) != 1) {
                putBack(tx, quantities.headMap(each.getKey()));
                return Optional.of(refusal(tx, quantities));
            }
        }
        return Optional.empty();
    }

    private static void putBack(Transaction tx, Map<String, Long> quantities) throws SQLException {
        for (Map.Entry<String, Long> each : quantities.entrySet()) {
            tx.update(RELEASE, each.getValue(), each.getValue(), each.getKey());
        }
    }

    private static Reason refusal(Transaction tx, Map<String, Long> quantities) throws SQLException {
        for (String sku : quantities.keySet()) {
            if (tx.first(IS_KNOWN, row -> sku, sku).isEmpty()) {
                return Reason.UNKNOWN_SKU;
            }
        }
        return Reason.OUT_OF_STOCK;
    }

    private StepOutcome refuse(Transaction tx, Order order, Reason reason, EventContext context) throws SQLException {
        tx.update(REFUSE, reason.wire(), order.orderId());
        outbox.append(tx, order.orderId(), new EventData.Failed(EventType.ReservationFailed, reason), 1, context);
        return new StepOutcome.Refused(reason);
    }

    /** Releases the items of an order. Compensates {@link #reserve}. */
    public StepOutcome release(Transaction tx, Order order, EventContext context) throws SQLException {
        if (tx.update(TURN, "RELEASED", clock.instant(), order.orderId(), "RESERVED") == 0) {
            boolean undoneBefore = find(tx, order.orderId())
                    .filter(reservation -> reservation.status().equals("RELEASED"))
                    .isPresent();
            if (undoneBefore) {
                return StepOutcome.DONE;
            }
            stepLog.skipped(
                    tx, order.orderId(), Step.RESERVE_ITEMS.compensation().orElseThrow());
            return StepOutcome.SKIPPED;
        }
        putBack(tx, order.quantities());
        outbox.append(tx, order.orderId(), new EventData.ItemsReleased(), 1, context);
        return StepOutcome.DONE;
    }

    /** Books the items of a shipped order as shipped, in the unit that ships the order. */
    public void onEvent(Transaction tx, OrderEvent event) throws SQLException {
        if (event.type() != EventType.OrderShipped) {
            return;
        }
        Optional<String> items = tx.first(SHIPPED, row -> row.getString(1), clock.instant(), event.orderId());
        if (items.isPresent()) {
            for (Map.Entry<String, Long> each : quantities(items.get()).entrySet()) {
                tx.update(SHIP, each.getValue(), each.getValue(), each.getKey());
            }
        }
    }

    private static Optional<Reservation> find(Transaction tx, String orderId) throws SQLException {
        return tx.first(FIND, Inventory::reservation, orderId);
    }

    private static Reservation reservation(ResultSet row) throws SQLException {
        return new Reservation(row.getString("status"), row.getString("reason"));
    }

    private static String json(Map<String, Long> quantities) {
        try {
            return OrderJson.MAPPER.writeValueAsString(quantities);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("quantities could not be written as JSON", e);
        }
    }

    private static Map<String, Long> quantities(String json) {
        try {
            return OrderJson.MAPPER.readValue(json, QUANTITIES);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a reservation's items cannot be read: " + json, e);
        }
    }
}
