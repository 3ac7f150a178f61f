package io.caravanserai.process;

import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventType;
import io.caravanserai.order.Reason;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.service.OrderLookup;
import io.caravanserai.service.StepLog;
import io.caravanserai.service.order.OrderView;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import io.caravanserai.support.PeriodicTask;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the compensation of orders without a saga: orders past the deadline, and orders that an operator cancels. The
 * event OrderTimedOut carries the reason and the last status of the order; the services react to the event and
 * compensate. Thread-safe.
 */
public final class ChoreographyDeadlines implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ChoreographyDeadlines.class);
    private static final int PER_PASS = 500;
    private static final long PASS_MILLIS = 1_000;

    private final Store store;
    private final Orders orders;
    private final Outbox outbox;
    private final StepLog stepLog;
    private final Clock clock;
    private final Duration timeout;
    private volatile PeriodicTask passes;

    /**
     * @param clock the clock of deadlines
     * @param timeout from acceptance to the end of an order
     */
    public ChoreographyDeadlines(
            Store store, Orders orders, Outbox outbox, StepLog stepLog, Clock clock, Duration timeout) {
        this.store = store;
        this.orders = orders;
        this.outbox = outbox;
        this.stepLog = stepLog;
        this.clock = clock;
        this.timeout = timeout;
    }

    /** Starts the periodic search for orders past the deadline. */
    public void watch() {
        passes = PeriodicTask.start(
                "order-deadlines",
                Duration.ofMillis(PASS_MILLIS),
                Duration.ofMillis(PASS_MILLIS),
                () -> runOnce(clock.instant()).get(30, TimeUnit.SECONDS));
    }

    /** Runs one search. Completes with the number of overdue orders once their events are durable. */
    public CompletableFuture<Integer> runOnce(Instant now) {
        return store.read(tx -> orders.overdueWithoutSaga(tx, now.minus(timeout), PER_PASS))
                .thenCompose(overdue -> {
                    List<CompletableFuture<Void>> announced =
                            overdue.stream().map(this::timeOut).toList();
                    return CompletableFuture.allOf(announced.toArray(CompletableFuture[]::new))
                            .thenApply(done -> announced.size());
                });
    }

    private CompletableFuture<Void> timeOut(String orderId) {
        return store.write("time-out", orderId, tx -> {
            OrderView order = orders.view(tx, orderId).orElseThrow();
            // A flow that failed and made no progress since is the reason, not the deadline.
            boolean flowFailed = stepLog.hasFailedSince(tx, orderId, order.updatedAt());
            turnBack(tx, order, flowFailed ? Reason.FLOW_ERROR : Reason.TIMED_OUT);
            return null;
        });
    }

    /** Announces the compensation of an order. Does nothing when the order has ended or has a reason already. */
    public void turnBack(Transaction tx, OrderView order, Reason reason) throws SQLException {
        if (order.reason() == null && !order.status().isEnd()) {
            EventContext context = orders.find(tx, order.orderId())
                    .map(OrderLookup.Known::context)
                    .orElse(EventContext.NONE);
            EventData event = new EventData.Failed(EventType.OrderTimedOut, reason, order.status());
            outbox.append(tx, order.orderId(), event, 1, context);
        }
    }

    /**
     * Records the cancel request of an operator, for orders with or without a saga. The caller starts the compensation
     * in the same unit of work.
     */
    public void cancelRequested(Transaction tx, OrderView order) throws SQLException {
        EventContext context =
                orders.find(tx, order.orderId()).map(OrderLookup.Known::context).orElse(EventContext.NONE);
        EventData event = new EventData.OrderCancelRequested(Reason.CANCELLED_BY_OPERATOR, order.status());
        outbox.append(tx, order.orderId(), event, 1, context);
    }

    @Override
    public void close() {
        if (passes != null) {
            passes.close();
        }
    }
}
