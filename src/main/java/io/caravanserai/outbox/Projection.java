package io.caravanserai.outbox;

import io.caravanserai.event.OrderEvent;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;

/**
 * A table kept in step with the events, in the very unit of work that records them. By throwing it refuses the event,
 * and with it the effect: so it also guards what may still happen to an order.
 */
@FunctionalInterface
public interface Projection {

    void apply(Transaction tx, OrderEvent event) throws SQLException;
}
