package io.caravanserai.process;

import io.caravanserai.event.EventType;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Reason;
import io.caravanserai.saga.Cause;
import io.caravanserai.saga.DurableSagaService;
import io.caravanserai.service.StepLog;
import io.caravanserai.service.order.OrderStateMachine;
import io.caravanserai.service.order.OrderView;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Cancels orders at an operator's request. The order's row takes the decision first; once the row is durable, no step
 * can go forward, and the compensation of the order's saga begins. Thread-safe.
 */
public final class OrderCancellation {
    private final Store store;
    private final Orders orders;
    private final OrderStateMachine stateMachine;
    private final ChoreographyDeadlines choreography;
    private final StepLog stepLog;
    private final DurableSagaService sagas;

    public OrderCancellation(
            Store store,
            Orders orders,
            OrderStateMachine stateMachine,
            ChoreographyDeadlines choreography,
            StepLog stepLog,
            DurableSagaService sagas) {
        this.store = store;
        this.orders = orders;
        this.stateMachine = stateMachine;
        this.choreography = choreography;
        this.stepLog = stepLog;
        this.sagas = sagas;
    }

    /** The result of a cancel request. */
    public enum Result {
        /** No order has the id. */
        UNKNOWN_ORDER,
        /** The order is shipped and stays so. */
        ALREADY_SHIPPED,
        /** The order was cancelled before the request. */
        ALREADY_CANCELLED,
        /** The order will be cancelled; its compensations have begun. */
        CANCELLING
    }

    /**
     * Cancels an order. A repeated call has no second effect.
     *
     * @param caller for the saga log
     * @param keyName of the API key, for the order's history; the event does not name the key, because every subscriber
     *     reads the event
     */
    public CompletableFuture<Result> cancel(String orderId, String caller, Optional<String> keyName) {
        return store.write("cancel-by-operator", orderId, tx -> decide(tx, orderId, keyName))
                .thenCompose(before -> before.isEmpty()
                        ? CompletableFuture.completedFuture(Result.UNKNOWN_ORDER)
                        : act(before.get(), caller));
    }

    /** Returns the order as it was before the decision. */
    private Optional<OrderView> decide(Transaction tx, String orderId, Optional<String> keyName) throws SQLException {
        Optional<OrderView> found = orders.view(tx, orderId);
        if (found.isEmpty()
                || found.get().status() == OrderStatus.SHIPPED
                || found.get().reason() != null) {
            return found;
        }
        OrderView order = found.get();
        choreography.cancelRequested(tx, order);
        if (keyName.isPresent()) {
            stepLog.acted(tx, orderId, EventType.OrderCancelRequested.name(), "by " + keyName.get());
        }
        if (order.sagaId() != null) {
            stateMachine.turnBack(tx, orderId, Reason.CANCELLED_BY_OPERATOR);
        } else {
            // No saga coordinates a choreographed order: the services hear the event and compensate their steps.
            choreography.turnBack(tx, order, Reason.CANCELLED_BY_OPERATOR);
        }
        return found;
    }

    private CompletableFuture<Result> act(OrderView before, String caller) {
        if (before.status() == OrderStatus.SHIPPED) {
            return CompletableFuture.completedFuture(Result.ALREADY_SHIPPED);
        }
        if (before.status() == OrderStatus.CANCELLED) {
            return CompletableFuture.completedFuture(Result.ALREADY_CANCELLED);
        }
        if (before.sagaId() == null) {
            return CompletableFuture.completedFuture(Result.CANCELLING);
        }
        // A saga that has not begun its first step finds that step refused and ends by itself.
        return sagas.startCompensating(before.sagaId(), new Cause(Cause.Kind.CANCELLED, "cancelled by " + caller))
                .thenApply(started -> Result.CANCELLING);
    }
}
