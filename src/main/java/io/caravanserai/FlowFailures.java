package io.caravanserai;

import io.caravanserai.flow.FlowEndedException;
import io.caravanserai.flow.RouteName;
import io.caravanserai.flow.StepNames;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Step;
import io.caravanserai.saga.Cause;
import io.caravanserai.saga.DurableSagaService;
import io.caravanserai.service.FailureReason;
import io.caravanserai.service.StepLog;
import io.caravanserai.service.order.OrderView;
import io.caravanserai.service.order.Orders;
import io.caravanserai.service.order.SagalessOrders;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.spi.CamelEvent;
import org.apache.camel.support.EventNotifierSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to the orders whose flow failed outside a saga, where nothing turns them back. An event that a flow failed to
 * handle is tried again until the order's deadline, so the failure is only recorded; an order that failed on its way into
 * its saga ends with {@code flow-error}. Writes one line for each failure that has no order, up to
 * {@value LineLimit#MAX_LINES} a minute for each route. Thread-safe.
 */
final class FlowFailures extends EventNotifierSupport {
    private static final Logger LOG = LoggerFactory.getLogger(FlowFailures.class);

    private final LineLimit lines = new LineLimit(System::nanoTime);
    private static final String EVENTS = "events:";

    private final Store store;
    private final Orders orders;
    private final StepLog stepLog;
    private final DurableSagaService sagas;
    private final SagalessOrders sagaless;
    private final StepNames stepNames;
    private final CancelledOrdersLog cancelled;

    FlowFailures(
            Store store,
            Orders orders,
            StepLog stepLog,
            DurableSagaService sagas,
            SagalessOrders sagaless,
            StepNames stepNames,
            CancelledOrdersLog cancelled) {
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
     *
     * @param ofEvent whether an event brought the order into the route
     * @param caught whether the flow has caught it and ended well
     */
    private record Failure(
            String orderId, RouteName from, boolean ofEvent, boolean caught, String place, Throwable thrown) {
        String detail() {
            return Cause.text(thrown);
        }
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
            // The hub is stopping, which makes steps fail; the next start takes the orders up.
            return;
        }
        Optional<RouteName> from = RouteName.of(exchange.getFromRouteId());
        if (thrown == null || from.isEmpty()) {
            return;
        }
        String orderId = exchange.getMessage().getHeader("orderId", String.class);
        boolean isCopy = exchange.getProperty(ExchangePropertyKey.CORRELATION_ID) != null;
        if (orderId == null || isCopy) {
            if (caught || thrown instanceof FlowEndedException ended && !ended.markLogged()) {
                return;
            }
            lines.pass(exchange.getFromRouteId())
                    .ifPresent(leftOut -> LOG.atWarn()
                            .addKeyValue("route", exchange.getFromRouteId())
                            .addKeyValue("orderId", orderId)
                            .addKeyValue("error", thrown.getClass().getSimpleName() + ": " + Cause.text(thrown))
                            .addKeyValue("notLoggedBefore", leftOut)
                            .log("flow failed"));
        } else if (FailureReason.of(thrown) == Reason.FLOW_ERROR) {
            boolean ofEvent = exchange.getFromEndpoint() != null
                    && exchange.getFromEndpoint().getEndpointUri().startsWith(EVENTS);
            String place = exchange.getProperty(ExchangePropertyKey.FAILURE_ROUTE_ID, String.class);
            seeTo(new Failure(
                    orderId, from.get(), ofEvent, caught, place == null ? exchange.getFromRouteId() : place, thrown));
        }
    }

    private void seeTo(Failure failure) {
        store.write("flow-failure", failure.orderId(), tx -> record(tx, failure))
                .thenAccept(toAbandon -> toAbandon.ifPresent(sagaId -> sagas.abandon(
                        sagaId, new Cause(Cause.Kind.FAILED, failure.detail(), failure.place(), failure.thrown()))))
                .exceptionally(notRecorded -> {
                    LOG.atWarn()
                            .addKeyValue("orderId", failure.orderId())
                            .addKeyValue("error", String.valueOf(failure.thrown()))
                            .addKeyValue("cause", String.valueOf(notRecorded))
                            .log("failure of a flow not recorded; recovery tries the order again");
                    return null;
                });
    }

    /** Answers the saga to turn back, which records the failure itself; empty when there is nothing more to do. */
    private Optional<String> record(Transaction tx, Failure failure) throws SQLException {
        Optional<OrderView> found = orders.view(tx, failure.orderId());
        if (found.isEmpty()
                || found.get().status().isEnd()
                || found.get().reason() != null
                || !failure.from().isOf(found.get().flow())) {
            return Optional.empty();
        }
        OrderView order = found.get();
        if (failure.caught() && !failedBeforeItsSaga(tx, failure, order)) {
            return Optional.empty();
        }
        if (!failure.ofEvent() && order.sagaId() != null) {
            return Optional.of(order.sagaId());
        }
        String step = stepNames.of(failure.place(), next(order.status()));
        stepLog.flowFailed(tx, order.orderId(), step, failure.detail());
        tx.afterCommit(() -> cancelled.explain(order.orderId(), step, failure.detail()));
        if (!failure.ofEvent()) {
            sagaless.turnBack(tx, order, Reason.FLOW_ERROR);
        }
        return Optional.empty();
    }

    /** Once an order's saga has begun, it sees to the order; before that only recovery would, into the same failure. */
    private boolean failedBeforeItsSaga(Transaction tx, Failure failure, OrderView order) throws SQLException {
        return !failure.ofEvent()
                && order.sagaId() != null
                && sagas.log().find(tx, order.sagaId()).isEmpty();
    }

    /** The step of the services that comes after a status. */
    static Step next(OrderStatus status) {
        return switch (status) {
            case CREATED -> Step.RESERVE_ITEMS;
            case RESERVED -> Step.PROCESS_PAYMENT;
            case PAID, SHIPPED, CANCELLED -> Step.SHIP_ORDER;
        };
    }
}
