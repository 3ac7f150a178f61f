package io.caravanserai.process;

import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventType;
import io.caravanserai.flow.yaml.StepNames;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Step;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.saga.Cause;
import io.caravanserai.saga.CompensationAttempt;
import io.caravanserai.saga.OperatorAct;
import io.caravanserai.saga.SagaListener;
import io.caravanserai.saga.SagaStatus;
import io.caravanserai.service.FailureReason;
import io.caravanserai.service.OrderLookup;
import io.caravanserai.service.StepLog;
import io.caravanserai.service.order.OrderStateMachine;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Connects sagas with orders: a saga changes state only when the order allows the change, in the same unit of work. */
public final class OrderSagas implements SagaListener {
    /** Compensations of the hub's services, which record the compensation themselves. */
    private static final Set<String> OF_SERVICES = Arrays.stream(Step.values())
            .flatMap(step -> step.compensation().stream())
            .collect(Collectors.toUnmodifiableSet());

    private final Orders orders;
    private final OrderStateMachine life;
    private final Outbox outbox;
    private final StepLog stepLog;
    private final OrderCompletions outcomes;
    private final StepNames stepNames;
    private final CancelledOrdersLog cancelled;
    private final OrderReactions reactions;

    public OrderSagas(
            Orders orders,
            OrderStateMachine life,
            Outbox outbox,
            StepLog stepLog,
            OrderCompletions outcomes,
            StepNames stepNames,
            CancelledOrdersLog cancelled,
            OrderReactions reactions) {
        this.orders = orders;
        this.life = life;
        this.outbox = outbox;
        this.stepLog = stepLog;
        this.outcomes = outcomes;
        this.stepNames = stepNames;
        this.cancelled = cancelled;
        this.reactions = reactions;
    }

    @Override
    public boolean mayCompensate(Transaction tx, String sagaId, Cause cause) throws SQLException {
        Optional<Orders.Standing> order = orders.standing(tx, sagaId);
        if (order.isEmpty()) {
            return true;
        }
        if (order.get().status() == OrderStatus.SHIPPED) {
            if (cause.kind() == Cause.Kind.FAILED && cause.failure() != null) {
                failAfterShipping(tx, order.get().orderId(), cause);
            }
            tellWhenDurable(tx, order.get());
            return false;
        }
        if (order.get().reason() == null) {
            turnBack(tx, order.get(), cause);
        }
        return true;
    }

    private void turnBack(Transaction tx, Orders.Standing order, Cause cause) throws SQLException {
        switch (cause.kind()) {
            case TIMED_OUT ->
                outbox.append(
                        tx,
                        order.orderId(),
                        new EventData.Failed(EventType.OrderTimedOut, reasonAtDeadline(tx, order), order.status()),
                        1,
                        context(tx, order));
            case CANCELLED -> life.turnBack(tx, order.orderId(), Reason.CANCELLED_BY_OPERATOR);
            case FAILED -> fail(tx, order, cause);
        }
    }

    /** Records the failure in the order history, because no service has recorded one. */
    private void fail(Transaction tx, Orders.Standing order, Cause cause) throws SQLException {
        Reason reason = cause.failure() == null && cause.detail() == null
                ? Reason.SERVICE_UNAVAILABLE
                : FailureReason.of(cause.failure());
        life.turnBack(tx, order.orderId(), reason);
        String step = stepNames.of(cause.place(), cause.step(), FlowFailures.next(order.status()));
        String detail = cause.detail() == null ? "the flow compensated the saga" : cause.detail();
        stepLog.flowFailed(tx, order.orderId(), step, detail);
        tx.afterCommit(() -> cancelled.explain(order.orderId(), step, detail));
    }

    private void failAfterShipping(Transaction tx, String orderId, Cause cause) throws SQLException {
        if (!FlowFailures.isOfFlow(cause.failure())) {
            return;
        }
        String step = stepNames.of(cause.place(), cause.step(), null);
        if (stepLog.flowFailed(tx, orderId, step, cause.detail())) {
            tx.afterCommit(() -> FlowFailures.logAfterShipping(orderId, step, cause.detail()));
        }
    }

    /** A flow that failed and made no progress since is the reason, not the deadline. */
    private Reason reasonAtDeadline(Transaction tx, Orders.Standing order) throws SQLException {
        return stepLog.hasFailedSince(tx, order.orderId(), order.updatedAt()) ? Reason.FLOW_ERROR : Reason.TIMED_OUT;
    }

    private EventContext context(Transaction tx, Orders.Standing order) throws SQLException {
        return orders.find(tx, order.orderId()).map(OrderLookup.Known::context).orElse(EventContext.NONE);
    }

    @Override
    public boolean mayComplete(Transaction tx, String sagaId) throws SQLException {
        Optional<Orders.Standing> order = orders.standing(tx, sagaId);
        boolean shipped = order.isPresent() && order.get().status() == OrderStatus.SHIPPED;
        if (shipped) {
            tellWhenDurable(tx, order.get());
        }
        return shipped || order.isEmpty();
    }

    private void tellWhenDurable(Transaction tx, Orders.Standing order) {
        tx.afterCommit(() -> outcomes.ended(order.orderId()));
    }

    @Override
    public void ended(Transaction tx, String sagaId, SagaStatus status) throws SQLException {
        if (status == SagaStatus.COMPLETED) {
            // {@code mayComplete} has notified the callers that wait for a shipped order.
            return;
        }
        Optional<Orders.Standing> order = orders.standing(tx, sagaId);
        if (order.isEmpty()) {
            return;
        }
        if (!order.get().status().isEnd()) {
            // The flow failed before create-order joined the saga, or an operator resolved the saga.
            OrderLookup.Known known = orders.find(tx, order.get().orderId()).orElseThrow();
            life.cancel(tx, outbox, known.order(), known.context());
        }
        tellWhenDurable(tx, order.get());
    }

    @Override
    public void compensated(Transaction tx, String sagaId, CompensationAttempt attempt) throws SQLException {
        String name = name(attempt.compensation());
        if (OF_SERVICES.contains(name)) {
            return;
        }
        Optional<Orders.Standing> order = orders.standing(tx, sagaId);
        if (order.isPresent()) {
            stepLog.flowCompensated(tx, order.get().orderId(), name, attempt.number(), attempt.startId());
        }
    }

    @Override
    public void compensationFailed(
            Transaction tx, String sagaId, CompensationAttempt attempt, String error, Instant next)
            throws SQLException {
        Optional<Orders.Standing> order = orders.standing(tx, sagaId);
        Optional<OrderReactions.Repeated> repeated =
                order.isPresent() ? Optional.empty() : reactions.repeated(tx, sagaId);
        if (order.isEmpty() && repeated.isEmpty()) {
            return;
        }
        String orderId = order.map(Orders.Standing::orderId)
                .orElseGet(() -> repeated.get().orderId());
        String name = repeated.map(OrderReactions.Repeated::compensation).orElseGet(() -> name(attempt.compensation()));
        if (repeated.isPresent() && next == null) {
            stepLog.compensationFailed(tx, orderId, name, attempt.number(), error + "; STUCK as saga " + sagaId);
            return;
        }
        if (next == null) {
            stepLog.compensationFailed(tx, orderId, name, attempt.number(), error);
        } else {
            stepLog.retryPlanned(tx, orderId, "compensation", name, attempt.number(), error, next);
        }
    }

    @Override
    public Optional<String> subject(Transaction tx, String sagaId) throws SQLException {
        Optional<Orders.Standing> order = orders.standing(tx, sagaId);
        return order.isPresent()
                ? order.map(Orders.Standing::orderId)
                : reactions.repeated(tx, sagaId).map(OrderReactions.Repeated::orderId);
    }

    @Override
    public void acted(Transaction tx, String sagaId, OperatorAct act) throws SQLException {
        Optional<String> orderId = subject(tx, sagaId);
        if (orderId.isPresent()) {
            stepLog.acted(tx, orderId.get(), act.kind().toString(), act.detail());
            if (act.kind() == OperatorAct.Kind.RESOLVE) {
                reactions.resolved(tx, orderId.get(), reactions.repeated(tx, sagaId));
            }
        }
    }

    /** Returns the endpoint name in a URI: refund-payment for {@code direct://refund-payment@3}. */
    private static String name(String uri) {
        return uri.replaceFirst("^[a-z-]+:(//)?", "").replaceFirst("[@?].*$", "");
    }
}
