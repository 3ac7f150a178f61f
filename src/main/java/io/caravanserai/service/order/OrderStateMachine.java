package io.caravanserai.service.order;

import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventType;
import io.caravanserai.event.OrderEvent;
import io.caravanserai.order.Order;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Step;
import io.caravanserai.order.Style;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.outbox.Projection;
import io.caravanserai.service.OrderClosedException;
import io.caravanserai.service.StepOutOfOrderException;
import io.caravanserai.service.StepOutcome;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Clock;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The state machine of an order: the first step and its compensation, and the fence. Thread-safe.
 * <p>An order goes forward until a reason is set, and from then on back. The row of the order decides which comes
 * first, in the unit of work of the caller. So the row refuses a late effect of a step that timed out, and the
 * cancellation of an order that has been shipped.
 */
public final class OrderStateMachine implements Projection {
    private static final String START = """
            UPDATE orders SET started_at = ?, updated_at = ?
            WHERE order_id = ? AND started_at IS NULL AND reason IS NULL
            """;
    /** A flow may charge first: the order then stays PAID, which the refund and the shipment require. */
    private static final String RESERVE = """
            UPDATE orders
            SET status = CASE WHEN payment_id IS NULL THEN 'RESERVED' ELSE 'PAID' END, updated_at = ?
            WHERE order_id = ? AND reason IS NULL AND status NOT IN ('SHIPPED', 'CANCELLED')
            """;

    private static final String PAY = """
            UPDATE orders SET status = 'PAID', updated_at = ?, payment_id = ?
            WHERE order_id = ? AND reason IS NULL AND status NOT IN ('SHIPPED', 'CANCELLED')
            """;
    private static final String SHIP = """
            UPDATE orders SET status = 'SHIPPED', updated_at = ?, tracking_number = ?
            WHERE order_id = ? AND payment_id IS NOT NULL AND reason IS NULL AND status NOT IN ('SHIPPED', 'CANCELLED')
            """;
    private static final String TURN_BACK = """
            UPDATE orders SET reason = ?, updated_at = ?
            WHERE order_id = ? AND reason IS NULL AND status NOT IN ('SHIPPED', 'CANCELLED')
            """;
    private static final String CANCELLED =
            "UPDATE orders SET status = 'CANCELLED', updated_at = ? WHERE order_id = ? AND reason IS NOT NULL";
    private static final String STATE = "SELECT status, reason FROM orders WHERE order_id = ?";

    private final Clock clock;
    private final Consumer<String> ended;

    /** @param ended called with the id of an order without a saga once the end is durable */
    public OrderStateMachine(Clock clock, Consumer<String> ended) {
        this.clock = clock;
        this.ended = ended;
    }

    private record State(OrderStatus status, Reason reason) {}

    /** Opens the order for the following steps. */
    public StepOutcome create(Transaction tx, Outbox outbox, Order order, EventContext context) throws SQLException {
        EventData data = new EventData.OrderCreated(
                order.customerId(),
                order.items(),
                order.currency().code(),
                order.total().amount());
        try {
            outbox.append(tx, order.orderId(), data, 1, context);
            return StepOutcome.DONE;
        } catch (OrderClosedException e) {
            // Nothing is written: the order was opened before, or is being cancelled.
            Reason reason = state(tx, order.orderId()).orElseThrow().reason();
            return reason == null ? StepOutcome.DONE : new StepOutcome.Refused(reason);
        }
    }

    /** Closes the order after all other steps are undone. Compensates {@link #create}. */
    public StepOutcome cancel(Transaction tx, Outbox outbox, Order order, EventContext context) throws SQLException {
        State state = state(tx, order.orderId()).orElseThrow();
        if (state.status() == OrderStatus.CANCELLED) {
            return StepOutcome.DONE;
        }
        if (state.status() == OrderStatus.SHIPPED) {
            throw new OrderClosedException(order.orderId(), "cancellation");
        }
        if (state.reason() == null && !mayUndo(tx, order.orderId(), context)) {
            throw new OrderClosedException(order.orderId(), "cancellation");
        }
        Reason reason = state.reason() == null ? Reason.SERVICE_UNAVAILABLE : state.reason();
        outbox.append(tx, order.orderId(), new EventData.OrderCancelled(reason), 1, context);
        return StepOutcome.DONE;
    }

    /**
     * Decides finally that an order is cancelled. The first reason stays.
     * @return false when the order has been shipped
     */
    public boolean turnBack(Transaction tx, String orderId, Reason reason) throws SQLException {
        return tx.update(TURN_BACK, reason.wire(), clock.instant(), orderId) == 1
                || state(tx, orderId)
                        .map(state -> state.status() != OrderStatus.SHIPPED)
                        .orElse(true);
    }

    /**
     * Starts the compensation of an order because a step of the flow's own failed. In event-driven styles an event
     * carries the failure: the failure event of the next service step, because the same steps have to be undone.
     * @throws OrderClosedException when the order is already being cancelled or has ended
     */
    public void ownStepFailed(Transaction tx, Outbox outbox, String orderId, Reason reason, EventContext context)
            throws SQLException {
        State state = state(tx, orderId).orElseThrow();
        if (state.reason() != null || state.status().isEnd()) {
            throw new OrderClosedException(orderId, "failure");
        }
        if (context.style() == Style.REQUEST_REPLY || context.style() == Style.QUEUE) {
            turnBack(tx, orderId, reason);
            return;
        }
        EventType type =
                switch (state.status()) {
                    case CREATED -> EventType.ReservationFailed;
                    case RESERVED -> EventType.PaymentFailed;
                    default -> EventType.ShippingFailed;
                };
        // Attempt 0: the step in the event was never attempted.
        outbox.append(tx, orderId, new EventData.Failed(type, reason), 0, context);
    }

    @Override
    public void apply(Transaction tx, OrderEvent event) throws SQLException {
        boolean applied =
                switch (event.type().kind()) {
                    case REQUEST -> isOpen(tx, event.orderId());
                    case PROGRESS -> progress(tx, event);
                    case FAILURE -> failure(tx, event);
                    case COMPENSATION ->
                        event.type() == EventType.OrderCancelled
                                ? end(tx, event)
                                : mayUndo(tx, event.orderId(), event.context());
                };
        if (!applied) {
            throw new OrderClosedException(event.orderId(), event.type().name());
        }
    }

    private static boolean isOpen(Transaction tx, String orderId) throws SQLException {
        return state(tx, orderId)
                .filter(state -> state.reason() == null && !state.status().isEnd())
                .isPresent();
    }

    private boolean progress(Transaction tx, OrderEvent event) throws SQLException {
        if (event.data() instanceof EventData.PaymentProcessed paid) {
            return tx.update(PAY, event.time(), paid.paymentId(), event.orderId()) == 1;
        }
        if (event.data() instanceof EventData.OrderShipped shipped) {
            return ship(tx, event, shipped.trackingNumber()) && tellWhenDurable(tx, event);
        }
        return event.type() == EventType.OrderCreated
                ? tx.update(START, event.time(), event.time(), event.orderId()) == 1
                : tx.update(RESERVE, event.time(), event.orderId()) == 1;
    }

    /** @throws StepOutOfOrderException when no payment is captured: no flow can ship an unpaid order */
    private static boolean ship(Transaction tx, OrderEvent event, String trackingNumber) throws SQLException {
        if (tx.update(SHIP, event.time(), trackingNumber, event.orderId()) == 1) {
            return true;
        }
        boolean goesForward = state(tx, event.orderId())
                .filter(state -> state.reason() == null && !state.status().isEnd())
                .isPresent();
        if (goesForward) {
            throw new StepOutOfOrderException(Step.SHIP_ORDER, event.orderId(), "no payment is captured");
        }
        return false;
    }

    private boolean failure(Transaction tx, OrderEvent event) throws SQLException {
        Reason reason = ((EventData.Failed) event.data()).reason();
        return tx.update(TURN_BACK, reason.wire(), event.time(), event.orderId()) == 1;
    }

    /**
     * Whether a step may be undone. A shipped order keeps all steps, and an order with an undone step is never shipped.
     * A saga that undoes one step undoes all steps. Without a saga, only a failure that a service has recorded leads to
     * a complete compensation.
     */
    private boolean mayUndo(Transaction tx, String orderId, EventContext context) throws SQLException {
        return context.sagaId() == null
                ? state(tx, orderId).filter(state -> state.reason() != null).isPresent()
                : turnBack(tx, orderId, Reason.SERVICE_UNAVAILABLE);
    }

    private boolean end(Transaction tx, OrderEvent event) throws SQLException {
        return tx.update(CANCELLED, event.time(), event.orderId()) == 1 && tellWhenDurable(tx, event);
    }

    private boolean tellWhenDurable(Transaction tx, OrderEvent event) {
        // For an order with a saga, the end of the saga comes later and is reported then.
        if (event.context().sagaId() == null) {
            tx.afterCommit(() -> ended.accept(event.orderId()));
        }
        return true;
    }

    private static Optional<State> state(Transaction tx, String orderId) throws SQLException {
        return tx.first(
                STATE,
                row -> {
                    String reason = row.getString("reason");
                    return new State(
                            OrderStatus.valueOf(row.getString("status")),
                            reason == null ? null : Reason.ofWire(reason));
                },
                orderId);
    }
}
