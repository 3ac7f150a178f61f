package io.caravanserai.process;

import io.caravanserai.flow.deploy.FlowEndedException;
import io.caravanserai.flow.yaml.RouteName;
import io.caravanserai.flow.yaml.StepNames;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Step;
import io.caravanserai.saga.Cause;
import io.caravanserai.saga.DurableSagaService;
import io.caravanserai.saga.FailurePlace;
import io.caravanserai.saga.SagaNotRunningException;
import io.caravanserai.service.FailureReason;
import io.caravanserai.service.OrderClosedException;
import io.caravanserai.service.StepLog;
import io.caravanserai.service.StepRefusedException;
import io.caravanserai.service.order.OrderView;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import io.caravanserai.store.StoreUnavailableException;
import io.caravanserai.store.Transaction;
import io.caravanserai.support.LineLimit;
import java.sql.SQLException;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeExtension;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.spi.CamelEvent;
import org.apache.camel.support.EventNotifierSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Handles orders whose flow failed outside a saga. The bus repeats an event that a flow failed to handle until the
 * deadline of the order, so the failure is only recorded. An order that failed before its saga began ends with
 * {@code flow-error}. Writes one log line for each failure without an order, at most {@value LineLimit#MAX_LINES} a
 * minute for each route. Thread-safe.
 */
public final class FlowFailures extends EventNotifierSupport {
    private static final Logger LOG = LoggerFactory.getLogger(FlowFailures.class);

    private final LineLimit lines = new LineLimit(System::nanoTime);
    private static final String EVENTS = "events:";

    private final Store store;
    private final Orders orders;
    private final StepLog stepLog;
    private final DurableSagaService sagas;
    private final ChoreographyDeadlines sagaless;
    private final StepNames stepNames;
    private final CancelledOrdersLog cancelled;
    private final Refusal refusal;

    /** Starts the compensation of an order that a flow without a saga has refused. */
    @FunctionalInterface
    public interface Refusal {
        void turnBack(Transaction tx, OrderView order, Reason reason) throws SQLException;
    }

    public FlowFailures(
            Store store,
            Orders orders,
            StepLog stepLog,
            DurableSagaService sagas,
            ChoreographyDeadlines sagaless,
            StepNames stepNames,
            CancelledOrdersLog cancelled,
            Refusal refusal) {
        this.refusal = refusal;
        this.store = store;
        this.orders = orders;
        this.stepLog = stepLog;
        this.sagas = sagas;
        this.sagaless = sagaless;
        this.stepNames = stepNames;
        this.cancelled = cancelled;
        setIgnoreCamelContextEvents(true);
        setIgnoreCamelContextInitEvents(true);
        setIgnoreRouteEvents(true);
        setIgnoreServiceEvents(true);
        setIgnoreStepEvents(true);
        setIgnoreExchangeCreatedEvent(true);
        setIgnoreExchangeRedeliveryEvents(true);
        setIgnoreExchangeSendingEvents(true);
        setIgnoreExchangeSentEvents(true);
        setIgnoreExchangeAsyncProcessingStartedEvents(true);
    }

    /**
     * A failure in the flow of an order.
     * @param ofEvent whether an event brought the order into the route
     * @param caught whether the flow has caught the failure and ended normally
     * @param stopped whether the flow ran no further step after the catch
     * @param place id of the route that failed
     * @param step the step as in {@link FailurePlace}; may be null
     */
    private record Failure(
            String orderId,
            RouteName from,
            boolean ofEvent,
            boolean caught,
            boolean stopped,
            String place,
            String step,
            Throwable thrown) {
        Cause cause() {
            return new Cause(Cause.Kind.FAILED, Cause.text(thrown), place, step, thrown);
        }

        String detail() {
            return cause().detail();
        }

        boolean isRefusal() {
            return thrown instanceof StepRefusedException;
        }
    }

    /** Whether the flow is at fault, rather than the state of the order or the store. */
    static boolean isOfFlow(Throwable failure) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            if (each instanceof OrderClosedException
                    || each instanceof SagaNotRunningException
                    || each instanceof StoreUnavailableException) {
                return false;
            }
        }
        return true;
    }

    static void logAfterShipping(String orderId, String step, String error) {
        LOG.atWarn()
                .addKeyValue("orderId", orderId)
                .addKeyValue("step", step)
                .addKeyValue("error", error)
                .log("flow failed after its order was shipped; the order stays SHIPPED");
    }

    @Override
    public boolean isEnabled(CamelEvent event) {
        return event instanceof CamelEvent.ExchangeFailedEvent
                || event instanceof CamelEvent.ExchangeCompletedEvent completed && caught(completed) != null;
    }

    private static Throwable caught(CamelEvent.ExchangeCompletedEvent event) {
        return event.getExchange().getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Throwable.class);
    }

    @Override
    public void notify(CamelEvent event) {
        if (event instanceof CamelEvent.ExchangeCompletedEvent completed) {
            failed(completed.getExchange(), caught(completed), true);
        } else if (event instanceof CamelEvent.ExchangeFailedEvent failed) {
            failed(failed.getExchange(), failed.getExchange().getException(), false);
        }
    }

    private void failed(Exchange exchange, Throwable thrown, boolean caught) {
        if (exchange.getProperty(DurableSagaService.CAUSE_TOLD, false, Boolean.class)) {
            return;
        }
        if (sagas.isClosed()) {
            // A hub that stops makes steps fail; the next start resumes the orders.
            return;
        }
        Optional<RouteName> from = RouteName.of(exchange.getFromRouteId());
        if (thrown == null || from.isEmpty()) {
            return;
        }
        String orderId = exchange.getMessage().getHeader("orderId", String.class);
        if (orderId != null && isOfFlow(thrown)) {
            seeTo(failure(exchange, orderId, from.get(), thrown, caught), isCopy(exchange));
        } else if (orderId == null && !caught) {
            log(exchange.getFromRouteId(), null, thrown);
        }
    }

    private static boolean isCopy(Exchange exchange) {
        return exchange.getProperty(ExchangePropertyKey.CORRELATION_ID) != null;
    }

    private static Failure failure(
            Exchange exchange, String orderId, RouteName from, Throwable thrown, boolean caught) {
        boolean ofEvent = exchange.getFromEndpoint() != null
                && exchange.getFromEndpoint().getEndpointUri().startsWith(EVENTS);
        ExchangeExtension extension = exchange.getExchangeExtension();
        boolean stopped =
                exchange.isRouteStop() || extension.isErrorHandlerHandledSet() && extension.isErrorHandlerHandled();
        String place = exchange.getProperty(ExchangePropertyKey.FAILURE_ROUTE_ID, String.class);
        return new Failure(
                orderId,
                from,
                ofEvent,
                caught,
                stopped,
                place == null ? exchange.getFromRouteId() : place,
                FailurePlace.stepOf(exchange, thrown),
                thrown);
    }

    private void log(String route, String orderId, Throwable thrown) {
        if (thrown instanceof FlowEndedException ended && !ended.markLogged()) {
            return;
        }
        lines.pass(route).ifPresent(leftOut -> {
            LoggingEventBuilder line = LOG.atWarn().addKeyValue("route", route);
            if (orderId != null) {
                line = line.addKeyValue("orderId", orderId);
            }
            line.addKeyValue("error", thrown.getClass().getSimpleName() + ": " + Cause.text(thrown))
                    .addKeyValue("notLoggedBefore", leftOut)
                    .log("flow failed");
        });
    }

    private void seeTo(Failure failure, boolean isCopy) {
        store.write("flow-failure", failure.orderId(), tx -> record(tx, failure, isCopy))
                .thenAccept(toAbandon -> toAbandon.ifPresent(sagaId -> sagas.abandon(sagaId, failure.cause())))
                .exceptionally(notRecorded -> {
                    LOG.atWarn()
                            .addKeyValue("orderId", failure.orderId())
                            .addKeyValue("error", String.valueOf(failure.thrown()))
                            .addKeyValue("cause", String.valueOf(notRecorded))
                            .log("failure of a flow not recorded; recovery tries the order again");
                    return null;
                });
    }

    /**
     * Records the failure. Returns the saga to compensate, which then records the failure itself; empty when no saga is
     * to be compensated.
     */
    private Optional<String> record(Transaction tx, Failure failure, boolean isCopy) throws SQLException {
        Optional<OrderView> found = orders.view(tx, failure.orderId())
                .filter(order -> failure.from().isOf(order.flow()));
        if (found.isEmpty()) {
            // The subscriber logs an event that was not handled.
            if (!failure.caught() && !failure.ofEvent()) {
                tx.afterCommit(() -> log(failure.place(), failure.orderId(), failure.thrown()));
            }
            return Optional.empty();
        }
        OrderView order = found.get();
        if (order.status() == OrderStatus.SHIPPED) {
            afterShipping(tx, failure);
            return Optional.empty();
        }
        if (isCopy) {
            // A route that waits for its copies fails with the copies. A route that does not wait goes on.
            if (!failure.caught()) {
                tx.afterCommit(() -> log(failure.place(), failure.orderId(), failure.thrown()));
            }
            return Optional.empty();
        }
        if (order.status().isEnd() || order.reason() != null) {
            if (failure.ofEvent() && !failure.caught() && isBug(failure)) {
                stepLog.undoFailed(tx, order.orderId(), name(failure, null), failure.detail());
            }
            return Optional.empty();
        }
        if (failure.isRefusal()) {
            return refused(tx, failure, order);
        }
        return isBug(failure) ? bug(tx, failure, order) : Optional.empty();
    }

    private static boolean isBug(Failure failure) {
        return FailureReason.of(failure.thrown()) == Reason.FLOW_ERROR;
    }

    private String name(Failure failure, OrderView order) {
        return stepNames.of(failure.place(), failure.step(), order == null ? null : next(order.status()));
    }

    private void afterShipping(Transaction tx, Failure failure) throws SQLException {
        if (failure.caught() && (failure.isRefusal() || !failure.stopped())) {
            return;
        }
        String step = name(failure, null);
        if (stepLog.flowFailed(tx, failure.orderId(), step, failure.detail())
                && !(failure.ofEvent() && !failure.caught())) {
            tx.afterCommit(() -> logAfterShipping(failure.orderId(), step, failure.detail()));
        }
    }

    /** Handles an order that the flow refuses. The services of the hub record their own refusals. */
    private Optional<String> refused(Transaction tx, Failure failure, OrderView order) throws SQLException {
        if (failure.caught() && !failure.stopped()) {
            return Optional.empty();
        }
        if (!failure.ofEvent() && order.sagaId() != null) {
            return Optional.of(order.sagaId());
        }
        String step = name(failure, order);
        Reason reason = FailureReason.of(failure.thrown());
        stepLog.flowFailed(tx, order.orderId(), step, failure.detail());
        refusal.turnBack(tx, order, reason);
        tx.afterCommit(() -> cancelled.explain(order.orderId(), step, failure.detail()));
        return Optional.empty();
    }

    private Optional<String> bug(Transaction tx, Failure failure, OrderView order) throws SQLException {
        if (failure.caught() && !failedBeforeItsSaga(tx, failure, order)) {
            return Optional.empty();
        }
        if (!failure.ofEvent() && order.sagaId() != null) {
            return Optional.of(order.sagaId());
        }
        String step = name(failure, order);
        stepLog.flowFailed(tx, order.orderId(), step, failure.detail());
        tx.afterCommit(() -> cancelled.explain(order.orderId(), step, failure.detail()));
        if (!failure.ofEvent()) {
            sagaless.turnBack(tx, order, Reason.FLOW_ERROR);
        }
        return Optional.empty();
    }

    /** A saga that has begun handles the failure. Before that, recovery would only repeat the same failure. */
    private boolean failedBeforeItsSaga(Transaction tx, Failure failure, OrderView order) throws SQLException {
        return !failure.ofEvent()
                && order.sagaId() != null
                && sagas.log().find(tx, order.sagaId()).isEmpty();
    }

    /** Returns the service step that follows a status. */
    static Step next(OrderStatus status) {
        return switch (status) {
            case CREATED -> Step.RESERVE_ITEMS;
            case RESERVED -> Step.PROCESS_PAYMENT;
            case PAID, SHIPPED, CANCELLED -> Step.SHIP_ORDER;
        };
    }
}
