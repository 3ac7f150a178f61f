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
 * What a flow calls when a service stayed unavailable through all attempts: records that its step failed, which turns
 * the order back. The exception that led here goes on to the saga. A compensation fails here again, so that the
 * compensation is tried again or shown, and never counts as done. A failure that cannot be recorded fails here again, too:
 * the event that led to the step is delivered again. So does any other exception: Camel brings it here when an attempt
 * fails otherwise than the one before, and the flow has no policy for it, as when the database becomes unavailable.
 */
public final class RetriesExhausted extends AsyncProcessorSupport {
    private static final Logger LOG = LoggerFactory.getLogger(RetriesExhausted.class);

    /** By name, for services know nothing of sagas. */
    private static final String SAGA_NOT_RUNNING = "io.caravanserai.saga.SagaNotRunningException";

    private final Store store;
    private final OrderLookup orders;
    private final Outbox outbox;
    private final OwnStepFailure ownSteps;

    /** Turns an order back because a step failed that its flow adds to those of the hub's services. */
    @FunctionalInterface
    public interface OwnStepFailure {

        /** @throws OrderClosedException when the order turned back before, or has ended; nothing is written then */
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
        if (orderId == null || caught == null || isAnswer(caught)) {
            callback.done(true);
            return true;
        }
        if (!(caught instanceof ServiceUnavailableException unavailable)) {
            failAgain(exchange, caught);
            callback.done(true);
            return true;
        }
        if (unavailable.isUndo()) {
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
                    // An order that is being cancelled already has its reason.
                    if (failure != null && !(failure instanceof OrderClosedException)) {
                        LOG.atWarn()
                                .addKeyValue("orderId", orderId)
                                .addKeyValue("error", failure.getMessage())
                                .log("failed step not recorded; the step will be tried again");
                        // Nobody would hear of the failure: an event that counts as handled would leave the order
                        // where it is until its deadline.
                        failAgain(exchange, unavailable);
                    }
                    callback.done(false);
                });
        return false;
    }

    /** Failures that the service itself has recorded, or that come too late to have an effect. */
    private static boolean isAnswer(Exception caught) {
        return caught instanceof StepRefusedException
                || caught instanceof OrderClosedException
                || caught.getClass().getName().equals(SAGA_NOT_RUNNING);
    }

    /** A flow that handles the failure of a step must not make of it that the step is done or undone. */
    private static void failAgain(Exchange exchange, Exception failure) {
        Deque<?> handlers = exchange.getProperty(ExchangePropertyKey.FATAL_FALLBACK_ERROR_HANDLER, Deque.class);
        if (handlers == null || handlers.isEmpty()) {
            exchange.setException(failure);
        } else {
            // In an onException, Camel takes a new exception for a fault of the handler and logs it as such; told that
            // nothing is handled, Camel puts the caught one back. No step of the handler follows.
            exchange.getExchangeExtension().setErrorHandlerHandled(false);
            exchange.setRouteStop(true);
        }
    }

    /**
     * Records that a step failed for good. Does nothing for an order that is not known.
     *
     * @param causation the id of the event that led to the step; may be null
     * @throws OrderClosedException when the order turned back before, or has ended
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
