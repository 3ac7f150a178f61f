package io.caravanserai.process;

import io.caravanserai.bus.EventsComponent;
import io.caravanserai.bus.Reactions;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventContext;
import io.caravanserai.order.Order;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.saga.Cause;
import io.caravanserai.saga.DurableSagaService;
import io.caravanserai.service.OrderLookup;
import io.caravanserai.service.ServiceEndpoint;
import io.caravanserai.service.ServiceUnavailableException;
import io.caravanserai.service.StepOutcome;
import io.caravanserai.service.StepWork;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import io.caravanserai.support.PeriodicTask;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.support.AsyncProcessorSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes cancelled orders without a saga only after each subscriber has handled the failure event and the compensation
 * events. A saga of its own repeats a failed reaction, and becomes STUCK when all attempts fail. Thread-safe.
 */
public final class OrderReactions implements Reactions, AutoCloseable {
    /** Name of the endpoint that repeats a reaction. */
    public static final String ENDPOINT = "repeat-reaction";

    private static final Logger LOG = LoggerFactory.getLogger(OrderReactions.class);
    private static final String EVENT = "eventId";
    private static final String SUBSCRIBER = "subscriber";
    private static final long PASS_MILLIS = 1_000;
    /**
     * Time a reaction may be pending before the event is sent again, for example after an edit that changed the
     * subscribers.
     */
    private static final Duration REPEAT_EVERY = Duration.ofSeconds(60);

    private static final String DONE = """
            INSERT INTO reactions_done (event_id, subscriber, order_id) VALUES (?, ?, ?)
            ON CONFLICT (event_id, subscriber) DO NOTHING
            """;
    private static final String ALL_DONE = "SELECT event_id, subscriber FROM reactions_done WHERE order_id = ?";
    private static final String FORGET_DONE = "DELETE FROM reactions_done WHERE order_id = ?";
    private static final String AWAIT = """
            INSERT INTO awaited_cancellations (order_id, causation_id) VALUES (?, ?) ON CONFLICT (order_id) DO NOTHING
            """;
    private static final String AWAITED = "SELECT causation_id FROM awaited_cancellations WHERE order_id = ?";
    private static final String ALL_AWAITED = """
            SELECT order_id, causation_id FROM awaited_cancellations WHERE order_id > ? ORDER BY order_id LIMIT 100
            """;
    private static final String NOT_AWAITED = "DELETE FROM awaited_cancellations WHERE order_id = ?";
    private static final String REPEAT = """
            INSERT INTO reaction_sagas (saga_id, order_id, event_id, subscriber, compensation) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (event_id, subscriber) DO NOTHING
            """;
    private static final String SEEN_TO = """
            SELECT 1 FROM reactions_done WHERE event_id = ? AND subscriber = ?
            UNION ALL SELECT 1 FROM reaction_sagas WHERE event_id = ? AND subscriber = ?
            """;
    private static final String OPEN_REPETITIONS = """
            SELECT reaction_sagas.event_id, reaction_sagas.subscriber
            FROM reaction_sagas JOIN sagas ON sagas.saga_id = reaction_sagas.saga_id
            WHERE reaction_sagas.order_id = ? AND sagas.ended_at IS NULL
            """;
    private static final String REPEATED = """
            SELECT order_id, event_id, subscriber, compensation FROM reaction_sagas WHERE saga_id = ?
            """;

    private final Store store;
    private final Orders orders;
    private final Outbox outbox;
    private final CamelContext context;
    private final Supplier<String> ids;
    private final List<StepWork> undoing;
    private final StepWork cancel;
    private volatile PeriodicTask passes;
    private volatile DurableSagaService sagas;
    private volatile Instant settled = Instant.MAX;
    /** Time of the last repeated events, by order id. */
    private final Map<String, Instant> repeatedAt = new ConcurrentHashMap<>();

    /**
     * A reaction that a saga repeats.
     * @param compensation name of the compensation, for the order history
     */
    record Repeated(String orderId, String eventId, String subscriber, String compensation) {}

    /**
     * @param undoing compensations of the hub's services, run in this order when an operator resolves a stuck saga
     * @param cancel closes an order that is being cancelled
     */
    public OrderReactions(
            Store store,
            Orders orders,
            Outbox outbox,
            CamelContext context,
            Supplier<String> ids,
            List<StepWork> undoing,
            StepWork cancel) {
        this.store = store;
        this.orders = orders;
        this.outbox = outbox;
        this.context = context;
        this.ids = ids;
        this.undoing = undoing;
        this.cancel = cancel;
    }

    /** Starts the periodic checks. Call once the flows have subscribed. */
    public void watch(DurableSagaService service) {
        settled = Instant.now();
        sagas = service;
        passes = PeriodicTask.start(
                "order-reactions",
                Duration.ofMillis(PASS_MILLIS),
                Duration.ofMillis(PASS_MILLIS),
                () -> runOnce().get(30, TimeUnit.SECONDS));
    }

    /**
     * Runs one check. A subscriber may be removed while a cancellation waits for its reaction; only this check then
     * closes the order.
     */
    CompletableFuture<Void> runOnce() {
        return runFrom("");
    }

    private CompletableFuture<Void> runFrom(String after) {
        return store.read(tx -> lookFrom(tx, after)).thenCompose(page -> {
            List<CompletableFuture<Void>> written = new ArrayList<>();
            page.due()
                    .forEach(orderId -> written.add(store.write("cancel-awaited", orderId, tx -> {
                        cancelIfDue(tx, orderId);
                        return null;
                    })));
            page.unheard()
                    .forEach((orderId, events) -> written.add(store.write("repeat-event", orderId, tx -> {
                        for (String event : events) {
                            outbox.repeat(tx, event);
                        }
                        return null;
                    })));
            CompletableFuture<Void> all = CompletableFuture.allOf(written.toArray(CompletableFuture[]::new));
            return page.last() == null ? all : all.thenCompose(nothing -> runFrom(page.last()));
        });
    }

    /**
     * One page of waiting cancellations.
     * @param unheard by order id, ids of events with a pending reaction that were sent long ago
     * @param last order id after which the next page begins; null on the last page
     */
    private record Look(List<String> due, Map<String, Set<String>> unheard, String last) {}

    private Look lookFrom(Transaction tx, String after) throws SQLException {
        List<String> due = new ArrayList<>();
        Map<String, Set<String>> unheard = new HashMap<>();
        String last = null;
        Instant now = Instant.now();
        repeatedAt.values().removeIf(at -> at.plus(REPEAT_EVERY).isBefore(now));
        for (Awaited each : tx.list(ALL_AWAITED, row -> new Awaited(row.getString(1), row.getString(2)), after)) {
            last = each.orderId();
            Optional<OrderLookup.Known> known = orders.find(tx, each.orderId());
            if (known.isEmpty()) {
                continue;
            }
            EventContext cause = known.get().context().causedBy(each.causationId());
            List<List<String>> owed = owed(tx, each.orderId(), cause);
            if (owed.isEmpty()) {
                due.add(each.orderId());
            } else if (settled.plus(REPEAT_EVERY).isBefore(now)
                    && repeatedAt.putIfAbsent(each.orderId(), now) == null) {
                unheard.put(
                        each.orderId(), owed.stream().map(pair -> pair.get(0)).collect(Collectors.toSet()));
            }
        }
        return new Look(due, unheard, last);
    }

    private record Awaited(String orderId, String causationId) {}

    /** Closes an order, or delays the close until all reactions to the failure are done. */
    public StepOutcome cancel(Transaction tx, Order order, EventContext cause) throws SQLException {
        boolean waits = cause.sagaId() == null
                && cause.causationId() != null
                && cause.style() != null
                && orders.standingOf(tx, order.orderId())
                        .filter(now -> now.reason() != null && !now.status().isEnd())
                        .isPresent()
                && isOwed(tx, order.orderId(), cause);
        if (!waits) {
            StepOutcome outcome = cancel.run(tx, order, cause);
            tx.update(FORGET_DONE, order.orderId());
            return outcome;
        }
        tx.update(AWAIT, order.orderId(), cause.causationId());
        return StepOutcome.DONE;
    }

    @Override
    public CompletableFuture<Boolean> isSeenTo(CloudEvent event, String subscriber) {
        return store.read(tx -> tx.first(SEEN_TO, row -> true, event.id(), subscriber, event.id(), subscriber)
                .isPresent());
    }

    @Override
    public CompletableFuture<Void> done(CloudEvent event, String subscriber) {
        return store.write("reaction-done", event.orderId(), tx -> {
            done(tx, event.orderId(), event.id(), subscriber);
            cancelIfDue(tx, event.orderId());
            return null;
        });
    }

    private void done(Transaction tx, String orderId, String eventId, String subscriber) throws SQLException {
        boolean open = orders.standingOf(tx, orderId)
                .filter(now -> !now.status().isEnd())
                .isPresent();
        if (open) {
            tx.update(DONE, eventId, subscriber, orderId);
        }
    }

    private void cancelIfDue(Transaction tx, String orderId) throws SQLException {
        Optional<Optional<String>> awaited = tx.first(AWAITED, row -> Optional.ofNullable(row.getString(1)), orderId);
        if (awaited.isEmpty()) {
            return;
        }
        OrderLookup.Known known = orders.find(tx, orderId).orElseThrow();
        EventContext cause = known.context().causedBy(awaited.get().orElse(null));
        if (events().isListening(cause.style()) && !isOwed(tx, orderId, cause)) {
            close(tx, known.order(), cause);
        }
    }

    private void close(Transaction tx, Order order, EventContext cause) throws SQLException {
        cancel.run(tx, order, cause);
        tx.update(NOT_AWAITED, order.orderId());
        tx.update(FORGET_DONE, order.orderId());
    }

    /** Whether a reaction to the failure is pending. */
    private boolean isOwed(Transaction tx, String orderId, EventContext cause) throws SQLException {
        return !owed(tx, orderId, cause).isEmpty();
    }

    /**
     * Returns the pending reactions as pairs of event id and subscriber: reactions of current subscribers, and
     * reactions that a saga repeats.
     */
    private List<List<String>> owed(Transaction tx, String orderId, EventContext cause) throws SQLException {
        Set<List<String>> done = new HashSet<>(tx.list(ALL_DONE, OrderReactions::pair, orderId));
        List<List<String>> owed = new ArrayList<>(tx.list(OPEN_REPETITIONS, OrderReactions::pair, orderId));
        owed.removeAll(done);
        for (CloudEvent event : EventLog.allOfOrder(tx, orderId)) {
            if (EventsComponent.toReactTo().contains(event.type())) {
                for (String subscriber : events().reacting(cause.style(), event.type(), event.time(), settled)) {
                    List<String> reaction = List.of(event.id(), subscriber);
                    if (!done.contains(reaction) && !owed.contains(reaction)) {
                        owed.add(reaction);
                    }
                }
            }
        }
        return owed;
    }

    private static List<String> pair(ResultSet row) throws SQLException {
        return List.of(row.getString(1), row.getString(2));
    }

    private EventsComponent events() {
        return context.getComponent("events", EventsComponent.class);
    }

    @Override
    public CompletableFuture<Boolean> takeOver(CloudEvent event, String subscriber, Throwable failure, boolean last) {
        Optional<ServiceUnavailableException> undo = undo(failure);
        if (sagas == null || sagas.isClosed() || undo.isEmpty() && !last) {
            return CompletableFuture.completedFuture(false);
        }
        String compensation = undo.map(each -> each.step().compensation()).orElse(subscriber);
        return store.write("reaction-repeat", event.orderId(), tx -> {
            boolean turnsBack = orders.standingOf(tx, event.orderId())
                    .filter(now -> now.reason() != null && !now.status().isEnd())
                    .isPresent();
            if (!turnsBack) {
                return false;
            }
            String sagaId = ids.get();
            if (tx.update(REPEAT, sagaId, event.orderId(), event.id(), subscriber, compensation) == 1) {
                sagas.beginCompensating(
                        tx,
                        sagaId,
                        "direct:" + ENDPOINT,
                        Map.of(ServiceEndpoint.ORDER_ID, event.orderId(), EVENT, event.id(), SUBSCRIBER, subscriber),
                        new Cause(Cause.Kind.FAILED, Cause.text(failure)));
            }
            return true;
        });
    }

    private static Optional<ServiceUnavailableException> undo(Throwable failure) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            if (each instanceof ServiceUnavailableException unavailable && unavailable.isUndo()) {
                return Optional.of(unavailable);
            }
        }
        return Optional.empty();
    }

    /** Returns the reaction that a saga repeats; empty for any other saga. */
    Optional<Repeated> repeated(Transaction tx, String sagaId) throws SQLException {
        return tx.first(
                REPEATED,
                row -> new Repeated(row.getString(1), row.getString(2), row.getString(3), row.getString(4)),
                sagaId);
    }

    /**
     * An operator has resolved a stuck saga: the hub's services undo their parts, then the order is closed.
     * @param resolved the repeated reaction that the operator has resolved; empty for the saga of the order itself
     */
    void resolved(Transaction tx, String orderId, Optional<Repeated> resolved) throws SQLException {
        Optional<Orders.Standing> now = orders.standingOf(tx, orderId);
        if (now.isEmpty() || now.get().reason() == null || now.get().status().isEnd()) {
            return;
        }
        OrderLookup.Known known = orders.find(tx, orderId).orElseThrow();
        for (StepWork each : undoing) {
            each.run(tx, known.order(), known.context());
        }
        if (resolved.isEmpty()) {
            close(tx, known.order(), known.context());
            return;
        }
        done(tx, orderId, resolved.get().eventId(), resolved.get().subscriber());
        if (isOwed(tx, orderId, known.context())) {
            // Another reaction of the order is pending or stuck.
            tx.update(AWAIT, orderId, known.context().causationId());
        } else {
            close(tx, known.order(), known.context());
        }
    }

    /** Returns the processor of the endpoint that repeats a reaction. */
    public AsyncProcessorSupport repetition() {
        return new AsyncProcessorSupport() {
            @Override
            public boolean process(Exchange exchange, AsyncCallback callback) {
                String orderId = exchange.getMessage().getHeader(ServiceEndpoint.ORDER_ID, String.class);
                String eventId = exchange.getMessage().getHeader(EVENT, String.class);
                String subscriber = exchange.getMessage().getHeader(SUBSCRIBER, String.class);
                store.read(tx -> EventLog.allOfOrder(tx, orderId).stream()
                                .filter(event -> event.id().equals(eventId))
                                .findFirst()
                                .orElseThrow(() -> new IllegalArgumentException(
                                        "there is no event " + eventId + " of the order " + orderId)))
                        .thenCompose(event -> events().again(subscriber, event))
                        .whenComplete((nothing, failure) -> {
                            if (failure != null) {
                                exchange.setException(failure.getCause() == null ? failure : failure.getCause());
                            }
                            callback.done(false);
                        });
                return false;
            }
        };
    }

    @Override
    public void close() {
        if (passes != null) {
            passes.close();
        }
    }
}
