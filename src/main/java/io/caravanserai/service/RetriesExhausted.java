package io.caravanserai.service;

import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventType;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Step;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.util.Deque;
import java.util.Optional;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.support.AsyncProcessorSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The endpoint that a flow calls after the last failed attempt of a step. Records the failure of the step, which starts
 * the compensation of the order. The exception goes on to the saga.
 * <p>The endpoint fails again in three cases. A failed compensation never counts as done, and is retried or shown. A
 * failure that cannot be recorded makes the bus deliver the event again. Any other exception fails again as well: Camel
 * ends up here when a later attempt fails with an exception without a policy in the flow, for example when the database
 * becomes unavailable.
 */
public final class RetriesExhausted extends AsyncProcessorSupport {
    private static final Logger LOG = LoggerFactory.getLogger(RetriesExhausted.class);

    /** By name: services do not depend on sagas. */
    private static final String SAGA_NOT_RUNNING = "io.caravanserai.saga.SagaNotRunningException";

    private final Store store;
    private final OrderLookup orders;
    private final Outbox outbox;
    private final OwnStepFailure ownSteps;

    /** Starts the compensation of an order because a step of the flow's own failed. */
    @FunctionalInterface
    public interface OwnStepFailure {

        /**
         * @throws OrderClosedException when the order is already being cancelled or has ended; nothing is written then
         */
        void record(
                Transaction tx,
                String orderId,
                StepName step,
                Reason reason,
                int attempt,
                String detail,
                EventContext context)
                throws SQLException;
    }

    public RetriesExhausted(Store store, OrderLookup orders, Outbox outbox, OwnStepFailure ownSteps) {
        this.store = store;
        this.orders = orders;
        this.outbox = outbox;
        this.ownSteps = ownSteps;
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
        Exception caught = exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Exception.class);
        String orderId = exchange.getMessage().getHeader(ServiceEndpoint.ORDER_ID, String.class);
        if (caught == null || isAnswer(caught)) {
            callback.done(true);
            return true;
        }
        if (!(caught instanceof ServiceUnavailableException unavailable)) {
            failAgain(exchange, caught);
            callback.done(true);
            return true;
        }
        // A compensation may have no order id: the saga knows the order.
        if (unavailable.isUndo() || orderId == null) {
            failAgain(exchange, unavailable);
            callback.done(true);
            return true;
        }
        String causation = exchange.getMessage().getHeader(ServiceEndpoint.CAUSATION_ID, String.class);
        store.write("give-up", orderId, tx -> {
                    record(
                            tx,
                            orderId,
                            unavailable.step(),
                            Reason.SERVICE_UNAVAILABLE,
                            unavailable.attempt(),
                            unavailable.getMessage(),
                            causation);
                    return null;
                })
                .whenComplete((done, failure) -> {
                    // An order that is being cancelled already has a reason.
                    if (failure != null && !(failure instanceof OrderClosedException)) {
                        LOG.atWarn()
                                .addKeyValue("orderId", orderId)
                                .addKeyValue("error", failure.getMessage())
                                .log("failed step not recorded; the step will be tried again");
                        // Without this failure the event would count as handled, and the order would rest until the
                        // deadline.
                        failAgain(exchange, unavailable);
                    }
                    callback.done(false);
                });
        return false;
    }

    /** Whether the service itself has recorded the failure, or the failure comes too late to have an effect. */
    private static boolean isAnswer(Exception caught) {
        return caught instanceof StepRefusedException
                || caught instanceof OrderClosedException
                || caught.getClass().getName().equals(SAGA_NOT_RUNNING);
    }

    /**
     * Fails the exchange again: a flow that handles the failure of a step must not turn the step into done or undone.
     */
    private static void failAgain(Exchange exchange, Exception failure) {
        Deque<?> handlers = exchange.getProperty(ExchangePropertyKey.FATAL_FALLBACK_ERROR_HANDLER, Deque.class);
        if (handlers == null || handlers.isEmpty()) {
            exchange.setException(failure);
        } else {
            // In an onException, Camel takes a new exception for a fault of the handler and logs the exception. With
            // handled set to false Camel restores the caught exception. No further step of the handler runs.
            exchange.getExchangeExtension().setErrorHandlerHandled(false);
            exchange.setRouteStop(true);
        }
    }

    /**
     * Records that a step failed finally. Does nothing for an unknown order.
     * @param causation id of the event that led to the step; may be null
     * @throws OrderClosedException when the order is already being cancelled or has ended
     */
    public void record(
            Transaction tx, String orderId, StepName step, Reason reason, int attempt, String detail, String causation)
            throws SQLException {
        Optional<OrderLookup.Known> known = orders.find(tx, orderId);
        if (known.isEmpty()) {
            return;
        }
        EventContext context = known.get().context().causedBy(causation);
        if (step.step().isEmpty()) {
            ownSteps.record(tx, orderId, step, reason, attempt, detail, context);
            return;
        }
        Optional<EventType> type = failureOf(step.step().get());
        if (type.isPresent()) {
            outbox.append(tx, orderId, new EventData.Failed(type.get(), reason), attempt, context);
        }
    }

    private static Optional<EventType> failureOf(Step step) {
        return switch (step) {
            case CREATE_ORDER -> Optional.empty();
            case RESERVE_ITEMS -> Optional.of(EventType.ReservationFailed);
            case PROCESS_PAYMENT -> Optional.of(EventType.PaymentFailed);
            case SHIP_ORDER -> Optional.of(EventType.ShippingFailed);
        };
    }
}
