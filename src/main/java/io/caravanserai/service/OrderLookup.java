package io.caravanserai.service;

import io.caravanserai.event.EventContext;
import io.caravanserai.order.Order;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.util.Optional;

/** How a service learns what was ordered. */
public interface OrderLookup {

    /** An accepted order and what its events hang together with; empty when it is not known. */
    Optional<Known> find(Transaction tx, String orderId) throws SQLException;

    /** The order that a saga is about, be it the order's own or one that repeats what its flow failed to undo. */
    Optional<String> orderOfSaga(Transaction tx, String sagaId) throws SQLException;

    /** @param context without a causation, which differs from event to event */
    record Known(Order order, EventContext context) {}
}
