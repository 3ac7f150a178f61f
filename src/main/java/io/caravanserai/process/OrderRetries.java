package io.caravanserai.process;

import io.caravanserai.flow.deploy.RetryListener;
import io.caravanserai.service.ServiceEndpoint;
import io.caravanserai.service.ServiceUnavailableException;
import io.caravanserai.service.StepLog;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Records planned retries of a step in the order history. */
public record OrderRetries(Store store, Orders orders, StepLog stepLog, Clock clock) implements RetryListener {
    private static final Logger LOG = LoggerFactory.getLogger(OrderRetries.class);

    @Override
    public void planned(Exchange exchange, Exception failure, Duration delay) {
        String orderId = exchange.getIn().getHeader(ServiceEndpoint.ORDER_ID, String.class);
        if (orderId == null
                || !(failure instanceof ServiceUnavailableException unavailable)
                || !unavailable.isInHistory()) {
            return;
        }
        Duration wait = delay.compareTo(unavailable.retryAfter()) < 0 ? unavailable.retryAfter() : delay;
        Instant nextAt = clock.instant().plus(wait);
        // Units of one order run in order of submission, so the next attempt finds this record.
        store.write("plan-retry", orderId, tx -> {
                    record(tx, orderId, unavailable, nextAt);
                    return null;
                })
                .exceptionally(notRecorded -> {
                    LOG.atDebug()
                            .addKeyValue("orderId", orderId)
                            .addKeyValue("error", String.valueOf(notRecorded))
                            .log("planned retry not recorded; the next attempt records that this one failed");
                    return null;
                });
    }

    private void record(Transaction tx, String orderId, ServiceUnavailableException failed, Instant nextAt)
            throws SQLException {
        if (failed.isUndo()) {
            String compensation = failed.step().compensation();
            stepLog.retryPlanned(tx, orderId, "compensation", compensation, failed.attempt(), failed.detail(), nextAt);
            return;
        }
        Optional<Orders.Standing> order = orders.standingOf(tx, orderId);
        if (order.isPresent()
                && order.get().reason() == null
                && !order.get().status().isEnd()) {
            stepLog.retryPlanned(tx, orderId, "step", failed.step().name(), failed.attempt(), failed.detail(), nextAt);
        }
    }
}
