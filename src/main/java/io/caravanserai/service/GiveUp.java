package io.caravanserai.service;

import io.caravanserai.event.EventData;
import io.caravanserai.event.EventType;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Step;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.store.Store;
import java.util.Optional;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.support.AsyncProcessorSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a flow calls when a service stayed unavailable through all attempts: records that its step failed, which turns
 * the order back. The exception that led here goes on to the saga.
 */
public final class GiveUp extends AsyncProcessorSupport {
    private static final Logger LOG = LoggerFactory.getLogger(GiveUp.class);

    private final Store store;
    private final OrderLookup orders;
    private final Outbox outbox;

    public GiveUp(Store store, OrderLookup orders, Outbox outbox) {
        this.store = store;
        this.orders = orders;
        this.outbox = outbox;
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
        Exception caught = exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Exception.class);
        String orderId = exchange.getMessage().getHeader(ServiceEndpoint.ORDER_ID, String.class);
        if (orderId == null || !(caught instanceof ServiceUnavailableException unavailable)) {
            callback.done(true);
            return true;
        }
        String causation = exchange.getMessage().getHeader(ServiceEndpoint.CAUSATION_ID, String.class);
        store.write("give-up", orderId, tx -> {
                    Optional<OrderLookup.Known> known = orders.find(tx, orderId);
                    Optional<EventType> type = failureOf(unavailable.step());
                    if (known.isPresent() && type.isPresent()) {
                        outbox.append(
                                tx,
                                orderId,
                                new EventData.Failed(type.get(), Reason.SERVICE_UNAVAILABLE),
                                unavailable.attempt(),
                                known.get().context().causedBy(causation));
                    }
                    return null;
                })
                .whenComplete((done, failure) -> {
                    // An order that is being cancelled already has its reason; a store that is away is met again by
                    // the saga, which turns back all the same.
                    if (failure != null && !(failure instanceof OrderClosedException)) {
                        LOG.atWarn()
                                .addKeyValue("orderId", orderId)
                                .setCause(failure)
                                .log("giving up not recorded");
                    }
                    callback.done(false);
                });
        return false;
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
