package io.caravanserai.saga;

import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import io.caravanserai.support.PeriodicTask;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.saga.CamelSagaCoordinator;
import org.apache.camel.saga.CamelSagaService;
import org.apache.camel.saga.CamelSagaStep;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Camel's saga service with a log that outlives the process. Thread-safe.
 *
 * <p>Differs from Camel's own in what the caller may rely on: a step has joined, a saga has completed or been
 * compensated only when that is durable, and only then do the futures complete; finished sagas leave no memory behind;
 * options are kept per join; a compensation that gives up leaves the saga {@link SagaStatus#STUCK}, not compensated.
 *
 * <p>Camel starts and stops a saga service with every route that has a saga. This one takes no notice: its life is from
 * the constructor to {@link #close}.
 */
public final class DurableSagaService implements CamelSagaService, AutoCloseable {

    /** Header with the id a new saga is to have; when a saga of that id is running, it is resumed. */
    public static final String SAGA_ID = "CaravanseraiSagaId";

    /**
     * Header that says, when it is true, that the message may have come before: a step that has joined with the same
     * options is then not added again. For what is delivered at least once, such as events.
     */
    public static final String MAYBE_AGAIN = "CaravanseraiMaybeAgain";

    /** Header that is true on the message of a compensation, so that what it calls knows that it undoes. */
    public static final String COMPENSATING = "CaravanseraiCompensating";

    /** Exchange property that is true when a saga sees to the exchange's failure: none but the saga need act on it. */
    public static final String CAUSE_TOLD = "CaravanseraiCauseTold";

    private static final Logger LOG = LoggerFactory.getLogger(DurableSagaService.class);
    private static final int OVERDUE_PER_PASS = 500;
    private static final long PASS_MILLIS = 500;

    private final Store store;
    private final SqlSagaLog log;
    private final Clock clock;
    /** Of deadlines; it may stand still. */
    private final Clock running;

    private final Supplier<String> ids;
    private final Duration timeout;
    private final SagaTransitions turns;
    private final Backoff backoff;
    private final Map<String, DurableSaga> active = new ConcurrentHashMap<>();
    private final ScheduledExecutorService timer = PeriodicTask.timer("saga-timer");
    private volatile boolean closed;
    private CamelContext context;
    private SagaMessages messages;
    private CompensationRuns compensations;
    private CompletionRuns completions;

    /**
     * @param ids for sagas that are not given one; unique, ascending with time
     * @param timeout until a saga that has not ended is compensated, unless its flow says otherwise
     */
    public DurableSagaService(
            Store store, Clock clock, Supplier<String> ids, Duration timeout, Backoff backoff, SagaListener listener) {
        this(store, clock, clock, ids, timeout, backoff, listener);
    }

    /** @param running the clock of deadlines, such as one that stands still while no hub runs */
    public DurableSagaService(
            Store store,
            Clock clock,
            Clock running,
            Supplier<String> ids,
            Duration timeout,
            Backoff backoff,
            SagaListener listener) {
        this.running = running;
        this.store = store;
        this.clock = clock;
        this.ids = ids;
        this.timeout = timeout;
        this.backoff = backoff;
        this.log = new SqlSagaLog(clock);
        this.turns = new SagaTransitions(store, log, listener, clock);
    }

    @Override
    public void setCamelContext(CamelContext context) {
        this.context = context;
        this.messages = new SagaMessages(context);
        this.compensations = new CompensationRuns(turns, messages, backoff, timer, ids);
        this.completions = new CompletionRuns(store, log, messages, backoff, timer);
    }

    @Override
    public CamelContext getCamelContext() {
        return context;
    }

    /** Takes up what an earlier process left and looks after deadlines from now on. Call once the routes have started. */
    public void watch() {
        timer.scheduleWithFixedDelay(
                PeriodicTask.surviving("saga-timer", this::pass), 0, PASS_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void pass() throws Exception {
        runOnce().get(30, TimeUnit.SECONDS);
    }

    /** One look at the log: overdue sagas are compensated, compensations and completions that nobody runs are run. */
    public CompletableFuture<Void> runOnce() {
        return store.read(tx -> new Work(
                        log.overdue(tx, running.instant(), OVERDUE_PER_PASS),
                        log.open(tx, SagaStatus.COMPENSATING).stream()
                                .filter(id -> !compensations.isRunning(id))
                                .toList(),
                        log.owingCompletions(tx)))
                .thenCompose(this::take);
    }

    private record Work(List<String> overdue, List<String> compensating, List<String> owing) {}

    private CompletableFuture<Void> take(Work work) {
        work.overdue().forEach(id -> compensate(id, new Cause(Cause.Kind.TIMED_OUT, "the deadline has passed")));
        work.compensating().forEach(this::resume);
        CompletableFuture<Void> told = CompletableFuture.completedFuture(null);
        for (String id : work.owing()) {
            told = told.thenCompose(done -> store.read(tx -> log.steps(tx, id)))
                    .thenAccept(steps -> completions.run(id, steps));
        }
        return told;
    }

    private void resume(String sagaId) {
        store.read(tx -> turns.asItStands(tx, log.find(tx, sagaId))).thenAccept(turn -> follow(sagaId, turn));
    }

    @Override
    public CompletableFuture<CamelSagaCoordinator> newSaga(Exchange exchange) {
        String given = givenId(exchange);
        String sagaId = given != null ? given : ids.get();
        DurableSaga fresh = new DurableSaga(this, sagaId, running.instant().plus(timeout));
        DurableSaga known = active.putIfAbsent(sagaId, fresh);
        if (known != null) {
            known.rejoin();
        }
        return CompletableFuture.completedFuture(known != null ? known : fresh);
    }

    /**
     * The id that the message has for its first saga. Taken off the message, and not looked at inside a saga: one that
     * begins there, or behind it, is another.
     */
    private static String givenId(Exchange exchange) {
        Object given = exchange.getMessage().removeHeader(SAGA_ID);
        boolean inside = exchange.getMessage().getHeader(Exchange.SAGA_LONG_RUNNING_ACTION) != null;
        return given == null || inside ? null : given.toString();
    }

    @Override
    public CompletableFuture<CamelSagaCoordinator> getSaga(String id) {
        DurableSaga saga = active.get(id);
        if (saga != null) {
            return CompletableFuture.completedFuture(saga);
        }
        return store.read(tx -> log.find(tx, id))
                .thenApply(found -> found.map(this::coordinator).orElse(null));
    }

    private CamelSagaCoordinator coordinator(SagaRecord saga) {
        DurableSaga coordinator = new DurableSaga(this, saga.sagaId(), saga.deadline());
        if (saga.endedAt() != null) {
            return coordinator;
        }
        return active.computeIfAbsent(saga.sagaId(), id -> coordinator);
    }

    @Override
    public void registerStep(CamelSagaStep step) {
        // Steps are kept when they join, with the endpoints' uris: nothing to remember here.
    }

    /**
     * Undoes a saga unless it is past the point of no return.
     *
     * @return the status it ended with, once durable; empty when there is no such saga
     */
    public CompletableFuture<Optional<SagaStatus>> compensate(String sagaId, Cause cause) {
        return turns.compensate(sagaId, cause).thenCompose(turn -> {
            DurableSaga unwritten = active.get(sagaId);
            if (turn.isEmpty() && unwritten != null) {
                return unwritten.begin().thenCompose(begun -> compensate(sagaId, cause));
            }
            return follow(sagaId, turn);
        });
    }

    /**
     * Undoes a saga that may not have begun: it is then written down first, so that whoever listens hears of its end.
     *
     * @return the status it ended with, once durable
     */
    public CompletableFuture<Optional<SagaStatus>> abandon(String sagaId, Cause cause) {
        Instant deadline = running.instant().plus(timeout);
        return store.write("saga-begin", sagaId, tx -> log.begin(tx, sagaId, deadline, false))
                .thenCompose(begun -> compensate(sagaId, cause));
    }

    /**
     * Writes a saga down of which one step is to be undone; {@link #watch} has that done, as often and as long as with any
     * other. Does nothing when there is a saga of that id.
     *
     * @param options the headers of the message to the compensation
     */
    public void beginCompensating(
            Transaction tx, String sagaId, String compensation, Map<String, String> options, Cause cause)
            throws SQLException {
        if (log.begin(tx, sagaId, running.instant().plus(timeout), false)) {
            SagaStep step =
                    new SagaStep(0, compensation, null, options, SagaStep.Status.JOINED, 0, null, clock.instant());
            log.join(tx, sagaId, step);
            log.turn(tx, sagaId, SagaStatus.RUNNING, new SagaState.Running().compensate(cause));
        }
    }

    /** Like {@link #compensate} but answers as soon as the decision is durable, with the status it led to. */
    public CompletableFuture<Optional<SagaStatus>> startCompensating(String sagaId, Cause cause) {
        return turns.compensate(sagaId, cause).thenApply(turn -> {
            follow(sagaId, turn);
            return turn.map(t -> t.state().status());
        });
    }

    /** Completes a saga unless its work is not done; fails with {@link SagaNotRunningException} when it is, or was, undone. */
    public CompletableFuture<Void> complete(String sagaId) {
        return complete(sagaId, new Cause(Cause.Kind.FAILED, "the flow ended before its work was done"));
    }

    /** @param otherwise why the saga is compensated when its work is not done */
    CompletableFuture<Void> complete(String sagaId, Cause otherwise) {
        return turns.complete(sagaId, otherwise).thenCompose(turn -> {
            DurableSaga unwritten = active.get(sagaId);
            if (turn.isEmpty() && unwritten != null) {
                return unwritten.begin().thenCompose(begun -> complete(sagaId, otherwise));
            }
            return follow(sagaId, turn)
                    .thenCompose(status -> status.filter(s -> s == SagaStatus.COMPLETED)
                            .map(completed -> CompletableFuture.<Void>completedFuture(null))
                            .orElseGet(() -> CompletableFuture.failedFuture(
                                    new SagaNotRunningException(sagaId, status.orElse(SagaStatus.COMPENSATED)))));
        });
    }

    /** Tries a stuck compensation again; empty when there is no such saga, else the status it now has. */
    public CompletableFuture<Optional<SagaStatus>> retry(String sagaId, OperatorAct act) {
        return start(sagaId, turns.retry(sagaId, false, act));
    }

    /** Compensates all steps of a stuck saga once more, from the last; else like {@link #retry}. */
    public CompletableFuture<Optional<SagaStatus>> compensateAgain(String sagaId, OperatorAct act) {
        return start(sagaId, turns.retry(sagaId, true, act));
    }

    /** Ends a stuck saga whose remaining effects a person has undone. */
    public CompletableFuture<Optional<SagaStatus>> resolve(String sagaId, OperatorAct act) {
        return start(sagaId, turns.resolve(sagaId, act));
    }

    private CompletableFuture<Optional<SagaStatus>> start(
            String sagaId, CompletableFuture<Optional<SagaTransitions.Turn>> turned) {
        return turned.thenApply(turn -> {
            follow(sagaId, turn);
            return turn.map(t -> t.state().status());
        });
    }

    /** Does what a turn has decided; completes with the status that is reached when all of it is durable. */
    private CompletableFuture<Optional<SagaStatus>> follow(String sagaId, Optional<SagaTransitions.Turn> turn) {
        if (turn.isEmpty()) {
            return CompletableFuture.completedFuture(Optional.empty());
        }
        SagaTransitions.Turn now = turn.get();
        if (now.state() instanceof SagaState.Compensating compensating) {
            return compensations.run(sagaId, compensating, now.steps()).thenApply(status -> {
                active.remove(sagaId);
                return Optional.of(status);
            });
        }
        if (now.state() instanceof SagaState.Completed) {
            completions.run(sagaId, now.steps());
        }
        if (now.state().status() != SagaStatus.RUNNING) {
            active.remove(sagaId);
        }
        return CompletableFuture.completedFuture(Optional.of(now.state().status()));
    }

    /** The log, for reading. */
    public SqlSagaLog log() {
        return log;
    }

    /** Sagas this process holds in memory: those that have not ended. */
    public int active() {
        return active.size();
    }

    Store store() {
        return store;
    }

    Clock running() {
        return running;
    }

    Clock clock() {
        return clock;
    }

    @Override
    public void start() {
        // Not tied to routes, see the class comment.
    }

    @Override
    public void stop() {
        // Not tied to routes, see the class comment.
    }

    /** Whether the hub is stopping: what fails from then on says nothing of a flow. */
    public boolean isClosed() {
        return closed;
    }

    /**
     * Stops the timer and the producers; sagas under way are taken up by the next process. From now on a failure of a
     * step no longer turns its saga back: it may only mean that everything is being stopped.
     */
    @Override
    public void close() {
        closed = true;
        timer.shutdownNow();
        compensations.close();
        messages.close();
    }
}
