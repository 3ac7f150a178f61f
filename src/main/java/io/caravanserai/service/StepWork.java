package io.caravanserai.service;

import io.caravanserai.event.EventContext;
import io.caravanserai.order.Order;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;

/**
 * An action or a compensation of a service, within one unit of work. Idempotent: a repeated run has no second effect.
 */
@FunctionalInterface
public interface StepWork {

    StepOutcome run(Transaction tx, Order order, EventContext context) throws SQLException;
}
