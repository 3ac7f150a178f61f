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
import java.util.TreeMap;

/** Reserves the items of orders and releases them again. Thread-safe. */
public final class Inventory {
    private static final TypeReference<TreeMap<String, Long>> QUANTITIES = new TypeReference<>() {};

    private static final String FIND = "SELECT status, reason, items FROM reservations WHERE order_id = ?";
    private static final String INSERT =
            "INSERT INTO reservations (order_id, status, reason, items, at) VALUES (?, ?, ?, ?, ?)";
    private static final String TURN = "UPDATE reservations SET status = ?, at = ? WHERE order_id = ? AND status = ?";
    private static final String ON_HAND = "SELECT on_hand FROM stock WHERE sku = ?";
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

    private record Reservation(String status, String reason, String items) {}

    /** Sets the items of an order aside, all or none. */
    public StepOutcome reserve(Transaction tx, Order order, EventContext context) throws SQLException {
        Optional<Reservation> earlier = find(tx, order.orderId());
        if (earlier.isPresent()) {
            return switch (earlier.get().status()) {
                case "REFUSED" ->
                    new StepOutcome.Refused(Reason.ofWire(earlier.get().reason()));
                case "RELEASED" -> throw new OrderClosedException(order.orderId(), "reservation");
                default -> StepOutcome.DONE;
            };
        }
        // Sorted, so that two orders never wait for each other's rows crosswise.
        Map<String, Long> quantities = new TreeMap<>(order.quantities());
        Optional<Reason> refusal = refusal(tx, quantities);
        if (refusal.isPresent()) {
            return refuse(tx, order, quantities, refusal.get(), context);
        }
        for (Map.Entry<String, Long> each : quantities.entrySet()) {
            if (tx.update(RESERVE, each.getValue(), each.getValue(), each.getKey(), each.getValue()) != 1) {
                throw new IllegalStateException("stock of " + each.getKey() + " changed meanwhile");
            }
        }
        tx.update(INSERT, order.orderId(), "RESERVED", null, json(quantities), clock.instant());
        outbox.append(tx, order.orderId(), new EventData.ItemsReserved(), 1, context);
        return StepOutcome.DONE;
    }

    private static Optional<Reason> refusal(Transaction tx, Map<String, Long> quantities) throws SQLException {
        boolean enough = true;
        for (Map.Entry<String, Long> each : quantities.entrySet()) {
            Optional<Long> onHand = tx.first(ON_HAND, row -> row.getLong(1), each.getKey());
            if (onHand.isEmpty()) {
                return Optional.of(Reason.UNKNOWN_SKU);
            }
            enough &= onHand.get() >= each.getValue();
        }
        return enough ? Optional.empty() : Optional.of(Reason.OUT_OF_STOCK);
    }

    private StepOutcome refuse(
            Transaction tx, Order order, Map<String, Long> quantities, Reason reason, EventContext context)
            throws SQLException {
        tx.update(INSERT, order.orderId(), "REFUSED", reason.wire(), json(quantities), clock.instant());
        outbox.append(tx, order.orderId(), new EventData.Failed(EventType.ReservationFailed, reason), 1, context);
        return new StepOutcome.Refused(reason);
    }

    /** Puts the items of an order back. Undoes {@link #reserve}. */
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
        for (Map.Entry<String, Long> each : order.quantities().entrySet()) {
            tx.update(RELEASE, each.getValue(), each.getValue(), each.getKey());
        }
        outbox.append(tx, order.orderId(), new EventData.ItemsReleased(), 1, context);
        return StepOutcome.DONE;
    }

    /** Counts the items of an order that is shipped, in the unit that ships it. */
    public void onEvent(Transaction tx, OrderEvent event) throws SQLException {
        if (event.type() != EventType.OrderShipped) {
            return;
        }
        Optional<Reservation> reservation = find(tx, event.orderId());
        if (tx.update(TURN, "SHIPPED", clock.instant(), event.orderId(), "RESERVED") == 1) {
            for (Map.Entry<String, Long> each :
                    quantities(reservation.orElseThrow().items()).entrySet()) {
                tx.update(SHIP, each.getValue(), each.getValue(), each.getKey());
            }
        }
    }

    private static Optional<Reservation> find(Transaction tx, String orderId) throws SQLException {
        return tx.first(FIND, Inventory::reservation, orderId);
    }

    private static Reservation reservation(ResultSet row) throws SQLException {
        return new Reservation(row.getString("status"), row.getString("reason"), row.getString("items"));
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
