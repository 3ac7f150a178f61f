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
 * Turns back orders that no saga looks after: those past their deadline, and those an operator cancels. The event
 * OrderTimedOut says so, and how far the order had come; the services do the rest. Thread-safe.
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
     * @param clock of deadlines
     * @param timeout from accepting an order to its end
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

    /** Looks for orders past their deadline from now on. */
    public void watch() {
        passes = PeriodicTask.start(
                "order-deadlines",
                Duration.ofMillis(PASS_MILLIS),
                Duration.ofMillis(PASS_MILLIS),
                () -> runOnce(clock.instant()).get(30, TimeUnit.SECONDS));
    }

    /** One look; completes with how many orders were past their deadline once that is announced. */
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
            // An order whose flow failed, and went no further since, did not just run out of time.
            boolean flowFailed = stepLog.hasFailedSince(tx, orderId, order.updatedAt());
            turnBack(tx, order, flowFailed ? Reason.FLOW_ERROR : Reason.TIMED_OUT);
            return null;
        });
    }

    /** Announces that an order is to be undone, unless it has ended or that was announced before. */
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
     * Records that an operator cancels an order, with or without a saga, before anything is undone; the caller turns it
     * back in the same unit of work.
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
