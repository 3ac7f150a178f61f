package io.caravanserai.outbox;

import io.caravanserai.event.OrderEvent;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;

/**
 * Updates a table in the transaction that records the event. A projection refuses an event, and with the event the
 * effect, by throwing; so a projection also guards the state of an order.
 */
@FunctionalInterface
public interface Projection {

    void apply(Transaction tx, OrderEvent event) throws SQLException;
}
