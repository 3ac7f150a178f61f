package io.caravanserai.process;

import io.caravanserai.flow.FlowEntry;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Style;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.saga.Cause;
import io.caravanserai.saga.DurableSagaService;
import io.caravanserai.saga.SagaRecord;
import io.caravanserai.saga.SagaStatus;
import io.caravanserai.service.OrderLookup;
import io.caravanserai.service.order.OrderView;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import io.caravanserai.support.PeriodicTask;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds unfinished orders that no route processes, after a crash or a store outage, and sends the orders into their
 * flow again. The flow skips completed steps.
 */
public final class OrderRecovery implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OrderRecovery.class);
    private static final int PER_PASS = 500;
    private static final int MAX_IN_FLIGHT = 1_000;
    /** In the other styles an order may wait in a queue. Sending the order again within that time only adds load. */
    private static final Duration PATIENCE_WITH_CALLS = Duration.ofSeconds(5);

    private static final Duration PATIENCE_WITH_QUEUES = Duration.ofSeconds(30);

    private final Store store;
    private final Orders orders;
    private final Outbox outbox;
    private final DurableSagaService sagas;
    private final FlowEntry entry;
    private final Clock clock;
    private final Clock running;
    private final Duration timeout;
    /** Start of this process, or end of the last store outage. An order without a change since then is left behind. */
    private volatile Instant since;

    private boolean storeIsAway;
    private final Map<String, Instant> lastSent = new ConcurrentHashMap<>();
    private volatile PeriodicTask passes;

    /**
     * @param running the clock of deadlines
     * @param timeout from acceptance to the end of an order, unless the flow has another timeout
     */
    public OrderRecovery(
            Store store,
            Orders orders,
            Outbox outbox,
            DurableSagaService sagas,
            FlowEntry entry,
            Clock clock,
            Clock running,
            Duration timeout) {
        this.store = store;
        this.orders = orders;
        this.outbox = outbox;
        this.sagas = sagas;
        this.entry = entry;
        this.clock = clock;
        this.running = running;
        this.timeout = timeout;
        this.since = clock.instant();
    }

    public void watch() {
        passes = PeriodicTask.start("recovery", Duration.ZERO, Duration.ofSeconds(1), this::pass);
    }

    private void pass() throws Exception {
        if (store.unavailableReason().isPresent()) {
            storeIsAway = true;
            return;
        }
        if (storeIsAway) {
            storeIsAway = false;
            // The routes that processed orders have failed during the outage.
            lastSent.clear();
            since = clock.instant();
        }
        int resumed = runOnce(clock.instant()).get(60, TimeUnit.SECONDS);
        if (resumed > 0) {
            LOG.atInfo().addKeyValue("orders", resumed).log("unfinished orders resumed");
        }
    }

    /** Runs one search. Completes with the number of resumed orders. */
    CompletableFuture<Integer> runOnce(Instant now) {
        if (entry.inFlight() > MAX_IN_FLIGHT) {
            return CompletableFuture.completedFuture(0);
        }
        return store.read(tx -> lookFrom(tx, now)).thenApply(found -> {
            lastSent.values().removeIf(sent -> sent.plus(PATIENCE_WITH_QUEUES).isBefore(now));
            found.journeys().forEach(journey -> {
                lastSent.put(journey.orderId(), now);
                entry.dispatch(journey);
            });
            found.unheard().forEach(this::repeatLastEvent);
            found.shipped().forEach(id -> sagas.complete(id));
            found.cancelled()
                    .forEach(id -> sagas.compensate(id, new Cause(Cause.Kind.FAILED, "its order was cancelled")));
            found.overdue()
                    .forEach(id -> sagas.abandon(
                            id, new Cause(Cause.Kind.TIMED_OUT, "the deadline has passed before its saga began")));
            return found.journeys().size()
                    + found.shipped().size()
                    + found.cancelled().size();
        });
    }

    /** Result of a search: orders to resume, and sagas of orders that have ended. */
    private record Found(
            List<FlowEntry.Journey> journeys,
            List<String> unheard,
            List<String> shipped,
            List<String> cancelled,
            List<String> overdue) {}

    private Found lookFrom(Transaction tx, Instant now) throws SQLException {
        Found found = new Found(
                new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        long after = 0;
        List<OrderView> page;
        do {
            page = orders.unfinished(tx, after, now, PER_PASS);
            for (OrderView order : page) {
                after = order.sequence();
                try {
                    look(tx, order, now, found);
                } catch (RuntimeException e) {
                    // A bad record of one order must not keep other orders from being resumed.
                    LOG.atWarn()
                            .addKeyValue("orderId", order.orderId())
                            .addKeyValue("error", String.valueOf(e))
                            .log("order cannot be taken up; it is tried again");
                }
            }
        } while (page.size() == PER_PASS && found.journeys().size() < PER_PASS);
        for (String sagaId : sagas.log().open(tx, SagaStatus.RUNNING)) {
            Optional<OrderView> order = orders.ofSaga(tx, sagaId);
            if (order.isPresent() && order.get().status().isEnd() && isLeftBehind(order.get(), now)) {
                boolean shipped = order.get().status() == OrderStatus.SHIPPED;
                (shipped ? found.shipped() : found.cancelled()).add(sagaId);
            }
        }
        return found;
    }

    private void look(Transaction tx, OrderView order, Instant now, Found found) throws SQLException {
        if (isOverdueBeforeItsSaga(tx, order)) {
            found.overdue().add(order.sagaId());
        } else if (isLeftBehind(order, now) && isToGoOn(tx, order)) {
            found.journeys().add(journey(tx, order));
            if (isUnheard(order, now)) {
                found.unheard().add(order.orderId());
            }
        }
    }

    private boolean isLeftBehind(OrderView order, Instant now) {
        if (entry.isInFlight(order.orderId())) {
            return false;
        }
        Duration patience = order.style() == Style.REQUEST_REPLY ? PATIENCE_WITH_CALLS : PATIENCE_WITH_QUEUES;
        Instant sent = lastSent.get(order.orderId());
        if (sent != null && sent.plus(patience).isAfter(now)) {
            return false;
        }
        // Orders of an earlier process are resumed at once.
        return order.updatedAt().isBefore(since)
                || order.updatedAt().plus(patience).isBefore(now);
    }

    /**
     * Whether an event-driven order has stopped although its last event was sent: the subscriber used all attempts. A
     * repeated event has no second effect.
     */
    private boolean isUnheard(OrderView order, Instant now) {
        // Events can drive a custom flow as well.
        boolean drivenByEvents = order.style() != Style.REQUEST_REPLY && order.style() != Style.QUEUE;
        Instant from = order.updatedAt().isBefore(since) ? since : order.updatedAt();
        return drivenByEvents && from.plus(PATIENCE_WITH_QUEUES).isBefore(now);
    }

    private void repeatLastEvent(String orderId) {
        store.write("repeat-event", orderId, tx -> {
                    outbox.repeatLast(tx, orderId);
                    return null;
                })
                .exceptionally(failure -> {
                    LOG.atWarn()
                            .addKeyValue("orderId", orderId)
                            .setCause(failure)
                            .log("an event is repeated later");
                    return null;
                });
    }

    /** The deadline holds before the saga is recorded: the flow may never reach the saga. */
    private boolean isOverdueBeforeItsSaga(Transaction tx, OrderView order) throws SQLException {
        if (order.sagaId() == null || sagas.log().find(tx, order.sagaId()).isPresent()) {
            return false;
        }
        Instant overdue = running.instant().minus(timeout);
        return orders.acceptedRunning(tx, order.orderId())
                .filter(accepted -> accepted.isBefore(overdue))
                .isPresent();
    }

    private boolean isToGoOn(Transaction tx, OrderView order) throws SQLException {
        if (order.sagaId() == null) {
            return true;
        }
        Optional<SagaRecord> saga = sagas.log().find(tx, order.sagaId());
        return saga.isEmpty() || saga.get().state().status() == SagaStatus.RUNNING;
    }

    private FlowEntry.Journey journey(Transaction tx, OrderView order) throws SQLException {
        OrderLookup.Known known = orders.find(tx, order.orderId()).orElseThrow();
        return new FlowEntry.Journey(
                order.orderId(),
                OrderJson.write(known.order()),
                order.flow(),
                order.flowVersion(),
                order.sagaId(),
                known.context().traceparent());
    }

    @Override
    public void close() {
        if (passes != null) {
            passes.close();
        }
    }
}
