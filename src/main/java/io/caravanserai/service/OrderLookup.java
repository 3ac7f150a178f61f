package io.caravanserai.service;

import io.caravanserai.event.EventContext;
import io.caravanserai.order.Order;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.util.Optional;

/** Reads accepted orders for the services. */
public interface OrderLookup {

    /** Returns an accepted order with the context of the order's events; empty for an unknown id. */
    Optional<Known> find(Transaction tx, String orderId) throws SQLException;

    /**
     * Returns the order of a saga: of the saga of an order, or of a saga that repeats a failed reaction of the flow.
     * Empty for any other saga.
     */
    Optional<String> orderOfSaga(Transaction tx, String sagaId) throws SQLException;

    /** @param context without a causation id, which differs from event to event */
    record Known(Order order, EventContext context) {}
}
