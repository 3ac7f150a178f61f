package io.caravanserai.process;

import io.caravanserai.flow.FlowEntry;
import io.caravanserai.flow.Flows;
import io.caravanserai.flow.deploy.RunningVersion;
import io.caravanserai.inbox.IdempotencyKeys;
import io.caravanserai.order.Order;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.order.Style;
import io.caravanserai.process.SubmitResult.Accepted;
import io.caravanserai.service.OrderLookup;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepts the orders of every ingress. One unit of work claims the idempotency key and accepts the order. The order
 * enters its flow once the unit is durable. Thread-safe.
 */
public final class OrderIntake {
    private static final Logger LOG = LoggerFactory.getLogger(OrderIntake.class);

    private final Store store;
    private final Orders orders;
    private final OrderCompletions outcomes;
    private final IdempotencyKeys keys;
    private final Flows flows;
    private final FlowEntry flowEntry;
    private final Supplier<String> ids;
    private final Clock clock;
    private final String owner;
    private final BiConsumer<String, String> started;

    /**
     * @param ids for sagas
     * @param owner id of this process, unique among all processes that ever used the store
     * @param started called with the style and the ingress of each order once the order is durable; must return quickly
     */
    public OrderIntake(
            Store store,
            Orders orders,
            OrderCompletions outcomes,
            IdempotencyKeys keys,
            Flows flows,
            FlowEntry flowEntry,
            Supplier<String> ids,
            Clock clock,
            String owner,
            BiConsumer<String, String> started) {
        this.started = started;
        this.store = store;
        this.orders = orders;
        this.outcomes = outcomes;
        this.keys = keys;
        this.flows = flows;
        this.flowEntry = flowEntry;
        this.ids = ids;
        this.clock = clock;
        this.owner = owner;
    }

    /** Rolls the unit back, including the claimed key, so that the sender can repeat the request with the same key. */
    private static final class NothingDone extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final transient SubmitResult submission;

        NothingDone(SubmitResult submission) {
            super("nothing was done", null, false, false);
            this.submission = submission;
        }
    }

    /**
     * Returns the style with a name: a built-in style, or a flow that exists or has existed. Empty for any other name.
     */
    public Optional<OrderStyle> style(String wire) {
        return OrderStyle.of(wire).filter(style -> style instanceof Style || flows.isKnown(style.flow()));
    }

    /** Returns the names of the styles that orders may ask for, separated by commas, for error messages. */
    public String styleNames() {
        return Stream.concat(
                        Arrays.stream(Style.values()),
                        flows.orderFlows().stream()
                                .flatMap(flow -> OrderStyle.ofFlow(flow).stream())
                                .filter(style -> !(style instanceof Style)))
                .map(OrderStyle::wire)
                .collect(Collectors.joining(", "));
    }

    /**
     * Submits an order. The result of the future is durable. Fails with
     * {@link io.caravanserai.store.StoreUnavailableException} when the store cannot be written; then nothing has
     * changed.
     */
    public CompletableFuture<SubmitResult> submit(SubmitOrder sending) {
        Optional<RunningVersion> newest = flows.newest(sending.style().flow());
        Optional<Integer> version = newest.map(flow -> flow.version().version());
        boolean inSaga = sending.style() instanceof Style shipped
                ? shipped.isOrchestrated()
                : newest.filter(RunningVersion::hasSaga).isPresent();
        String sagaId = inSaga ? ids.get() : null;
        return store.<SubmitResult>write(
                        "accept-order", sending.order().orderId(), tx -> accept(tx, sending, version, sagaId))
                .handle((submission, failure) -> {
                    if (failure instanceof NothingDone nothing) {
                        return nothing.submission;
                    }
                    if (failure != null) {
                        throw failure instanceof RuntimeException known ? known : new CompletionException(failure);
                    }
                    return submission instanceof Accepted
                            ? dispatch(sending, version.orElseThrow(), sagaId)
                            : submission;
                });
    }

    private SubmitResult accept(Transaction tx, SubmitOrder sending, Optional<Integer> version, String sagaId)
            throws SQLException {
        Order order = sending.order();
        if (sending.idempotencyKey().isPresent()) {
            String key = sending.idempotencyKey().get();
            String fingerprint = sending.fingerprint();
            Instant dueAt = clock.instant().plus(sending.answerWithin());
            if (!keys.claim(tx, key, fingerprint, order.orderId(), owner, dueAt)) {
                IdempotencyKeys.Entry first = keys.find(tx, key).orElseThrow();
                return first.fingerprint().equals(fingerprint)
                        ? new SubmitResult.Repeated(first)
                        : new SubmitResult.KeyReused();
            }
        }
        if (sending.message().isPresent()) {
            Optional<SubmitResult> before = claim(tx, sending, sending.message().get());
            if (before.isPresent()) {
                return before.get();
            }
        }
        String traceparent = sending.traceparent().orElse(null);
        if (version.isPresent() && orders.accept(tx, order, sending.style(), version.get(), sagaId, traceparent)) {
            return new Accepted(order.orderId(), Optional.empty());
        }
        Optional<OrderLookup.Known> known = orders.find(tx, order.orderId());
        if (known.isEmpty()) {
            throw new NothingDone(new SubmitResult.NoFlow(sending.style()));
        }
        if (!known.get().order().equals(order)) {
            throw new NothingDone(new SubmitResult.OtherOrder(order.orderId()));
        }
        return new SubmitResult.Known(order.orderId());
    }

    /** Claims the name of a message. Returns the first entry when the same message came before. */
    private Optional<SubmitResult> claim(Transaction tx, SubmitOrder sending, MessageName message) throws SQLException {
        Optional<IdempotencyKeys.Entry> first = message.earlier().isPresent()
                ? keys.findAny(tx, message.earlier().get())
                : Optional.empty();
        if (first.isEmpty()) {
            first = claim(tx, message.text(), sending);
        }
        if (first.filter(entry -> !isSame(entry, sending)).isPresent()) {
            first = claim(tx, message.withBody(sending.bodyFingerprint()), sending);
        }
        return first.map(SubmitResult.Repeated::new);
    }

    private Optional<IdempotencyKeys.Entry> claim(Transaction tx, String name, SubmitOrder sending)
            throws SQLException {
        Optional<IdempotencyKeys.Entry> first = keys.findAny(tx, name);
        boolean claimed = first.isEmpty()
                && keys.claim(
                        tx, name, sending.bodyFingerprint(), sending.order().orderId(), owner, clock.instant());
        // Another hub on the same store has claimed the name in the meantime.
        return claimed || first.isPresent() ? first : keys.findAny(tx, name);
    }

    /** Earlier versions of the hub included the style in the fingerprint. */
    private static boolean isSame(IdempotencyKeys.Entry first, SubmitOrder sending) {
        return first.fingerprint().equals(sending.bodyFingerprint())
                || first.fingerprint().equals(sending.fingerprint());
    }

    private SubmitResult dispatch(SubmitOrder sending, int version, String sagaId) {
        started.accept(sending.style().wire(), sending.ingress());
        Order order = sending.order();
        Optional<CompletableFuture<Void>> ended =
                sending.answerWithin().isZero() ? Optional.empty() : Optional.of(outcomes.await(order.orderId()));
        flowEntry
                .dispatch(new FlowEntry.Journey(
                        order.orderId(),
                        OrderJson.write(order),
                        sending.style().flow(),
                        version,
                        sagaId,
                        sending.traceparent().orElse(null)))
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        LOG.atDebug()
                                .addKeyValue("orderId", order.orderId())
                                .setCause(failure)
                                .log("the flow ended with an exception");
                    }
                });
        return new Accepted(order.orderId(), ended);
    }

    /** Completes when the order has ended, at once when the order has already ended. */
    public CompletableFuture<Void> ended(String orderId) {
        CompletableFuture<Void> waiting = outcomes.await(orderId);
        store.read(tx -> orders.view(tx, orderId)).whenComplete((view, failure) -> {
            if (failure != null || view.isEmpty() || view.get().status().isEnd()) {
                waiting.complete(null);
            }
        });
        return waiting;
    }
}
