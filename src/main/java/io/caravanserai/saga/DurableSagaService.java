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
 * <p>Stronger guarantees than Camel's own service: a step has joined, and a saga has completed or been compensated,
 * only when that state is durable, and only then do the futures complete. Finished sagas leave no memory behind.
 * Options are kept per join. A compensation without attempts left makes the saga {@link SagaStatus#STUCK}, not
 * compensated.
 *
 * <p>Camel starts and stops a saga service with every route that has a saga. This service ignores these calls and runs
 * from the constructor until {@link #close}.
 */
public final class DurableSagaService implements CamelSagaService, AutoCloseable {

    /** Header with the id for a new saga. A running saga with that id is resumed. */
    public static final String SAGA_ID = "CaravanseraiSagaId";

    /**
     * Header for messages with at-least-once delivery, for example events. When true, a step that has joined with the
     * same options is not added again.
     */
    public static final String MAYBE_AGAIN = "CaravanseraiMaybeAgain";

    /** Header that is true on the message to a compensation, so that the called route can detect compensation. */
    public static final String COMPENSATING = "CaravanseraiCompensating";

    /**
     * Exchange property that is true when a saga handles the failure of the exchange: no other component need act on
     * the failure.
     */
    public static final String CAUSE_TOLD = "CaravanseraiCauseTold";

    private static final Logger LOG = LoggerFactory.getLogger(DurableSagaService.class);
    private static final int OVERDUE_PER_PASS = 500;
    private static final long PASS_MILLIS = 500;

    private final Store store;
    private final SqlSagaLog log;
    private final Clock clock;
    /** The clock of deadlines; may stand still. */
    private final Clock running;

    private final Supplier<String> ids;
    private final Duration timeout;
    private final SagaTransitions transitions;
    private final Backoff backoff;
    private final Map<String, DurableSaga> active = new ConcurrentHashMap<>();
    private final ScheduledExecutorService timer = PeriodicTask.timer("saga-timer");
    private volatile boolean closed;
    private CamelContext context;
    private SagaMessages messages;
    private CompensationRuns compensations;
    private CompletionRuns completions;

    /**
     * @param ids source of ids for sagas without a given id; unique, ascending with time
     * @param timeout time until an unfinished saga is compensated; a timeout in the flow takes precedence
     */
    public DurableSagaService(
            Store store, Clock clock, Supplier<String> ids, Duration timeout, Backoff backoff, SagaListener listener) {
        this(store, clock, clock, ids, timeout, backoff, listener);
    }

    /**
     * @param running the clock of deadlines, for example {@link io.caravanserai.store.RunningClock}, which stands still
     *     while no hub runs
     */
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
        this.transitions = new SagaTransitions(store, log, listener, clock);
    }

    @Override
    public void setCamelContext(CamelContext context) {
        this.context = context;
        this.messages = new SagaMessages(context);
        this.compensations = new CompensationRuns(transitions, messages, backoff, timer, ids);
        this.completions = new CompletionRuns(store, log, messages, backoff, timer);
    }

    @Override
    public CamelContext getCamelContext() {
        return context;
    }

    /** Resumes the sagas of an earlier process and starts the deadline checks. Call once the routes have started. */
    public void watch() {
        timer.scheduleWithFixedDelay(
                PeriodicTask.surviving("saga-timer", this::pass), 0, PASS_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void pass() throws Exception {
        runOnce().get(30, TimeUnit.SECONDS);
    }

    /**
     * One pass over the log: compensates overdue sagas, and starts compensations and completions that are not in
     * flight.
     */
    public CompletableFuture<Void> runOnce() {
        return store.read(tx -> new Work(
                        log.overdue(tx, running.instant(), OVERDUE_PER_PASS),
                        log.open(tx, SagaStatus.COMPENSATING).stream()
                                .filter(id -> !compensations.isRunning(id))
                                .toList(),
                        log.withPendingCompletions(tx)))
                .thenCompose(this::take);
    }

    private record Work(List<String> overdue, List<String> compensating, List<String> pendingCompletions) {}

    private CompletableFuture<Void> take(Work work) {
        work.overdue().forEach(id -> compensate(id, new Cause(Cause.Kind.TIMED_OUT, "the deadline has passed")));
        work.compensating().forEach(this::resume);
        CompletableFuture<Void> started = CompletableFuture.completedFuture(null);
        for (String id : work.pendingCompletions()) {
            started = started.thenCompose(done -> store.read(tx -> log.steps(tx, id)))
                    .thenAccept(steps -> completions.run(id, steps));
        }
        return started;
    }

    private void resume(String sagaId) {
        store.read(tx -> transitions.unchanged(tx, log.find(tx, sagaId)))
                .thenAccept(transition -> follow(sagaId, transition));
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
     * Removes and returns the id for the first saga of a message; null when absent. Ignored inside a saga: a nested or
     * following saga needs another id.
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
        // Nothing to do: a step is stored on joining, with the endpoint URIs.
    }

    /**
     * Compensates a saga unless the saga is past the point of no return.
     *
     * @return the final status, once durable; empty when the saga is unknown
     */
    public CompletableFuture<Optional<SagaStatus>> compensate(String sagaId, Cause cause) {
        return transitions.compensate(sagaId, cause).thenCompose(transition -> {
            DurableSaga unsaved = active.get(sagaId);
            if (transition.isEmpty() && unsaved != null) {
                return unsaved.begin().thenCompose(begun -> compensate(sagaId, cause));
            }
            return follow(sagaId, transition);
        });
    }

    /**
     * Compensates a saga that may not have begun. Writes the saga row first, so that the listener is notified of the
     * end.
     *
     * @return the final status, once durable
     */
    public CompletableFuture<Optional<SagaStatus>> abandon(String sagaId, Cause cause) {
        Instant deadline = running.instant().plus(timeout);
        return store.write("saga-begin", sagaId, tx -> log.begin(tx, sagaId, deadline, false))
                .thenCompose(begun -> compensate(sagaId, cause));
    }

    /**
     * Writes a new saga with one step to compensate. {@link #watch} starts the compensation, with the same attempts as
     * for any other saga. Does nothing when the id exists.
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
            log.transition(tx, sagaId, SagaStatus.RUNNING, new SagaState.Running().compensate(cause));
        }
    }

    /** Like {@link #compensate} but completes as soon as the decision is durable, with the resulting status. */
    public CompletableFuture<Optional<SagaStatus>> startCompensating(String sagaId, Cause cause) {
        return transitions.compensate(sagaId, cause).thenApply(transition -> {
            follow(sagaId, transition);
            return transition.map(each -> each.state().status());
        });
    }

    /**
     * Completes a saga unless the work is not done. Fails with {@link SagaNotRunningException} when the saga is being
     * or has been compensated.
     */
    public CompletableFuture<Void> complete(String sagaId) {
        return complete(sagaId, new Cause(Cause.Kind.FAILED, "the flow ended before its work was done"));
    }

    /** @param otherwise the cause of the compensation when the work is not done */
    CompletableFuture<Void> complete(String sagaId, Cause otherwise) {
        return transitions.complete(sagaId, otherwise).thenCompose(transition -> {
            DurableSaga unsaved = active.get(sagaId);
            if (transition.isEmpty() && unsaved != null) {
                return unsaved.begin().thenCompose(begun -> complete(sagaId, otherwise));
            }
            return follow(sagaId, transition)
                    .thenCompose(status -> status.filter(each -> each == SagaStatus.COMPLETED)
                            .map(completed -> CompletableFuture.<Void>completedFuture(null))
                            .orElseGet(() -> CompletableFuture.failedFuture(
                                    new SagaNotRunningException(sagaId, status.orElse(SagaStatus.COMPENSATED)))));
        });
    }

    /** Retries a stuck compensation. Completes with the resulting status; empty when the saga is unknown. */
    public CompletableFuture<Optional<SagaStatus>> retry(String sagaId, OperatorAct act) {
        return start(sagaId, transitions.retry(sagaId, false, act));
    }

    /** Compensates all steps of a stuck saga again, last step first; otherwise like {@link #retry}. */
    public CompletableFuture<Optional<SagaStatus>> compensateAgain(String sagaId, OperatorAct act) {
        return start(sagaId, transitions.retry(sagaId, true, act));
    }

    /** Ends a stuck saga after a person has undone the remaining effects. */
    public CompletableFuture<Optional<SagaStatus>> resolve(String sagaId, OperatorAct act) {
        return start(sagaId, transitions.resolve(sagaId, act));
    }

    private CompletableFuture<Optional<SagaStatus>> start(
            String sagaId, CompletableFuture<Optional<SagaTransitions.Turn>> transitioned) {
        return transitioned.thenApply(transition -> {
            follow(sagaId, transition);
            return transition.map(each -> each.state().status());
        });
    }

    /** Carries out the decision of a transition. Completes with the resulting status once all work is durable. */
    private CompletableFuture<Optional<SagaStatus>> follow(String sagaId, Optional<SagaTransitions.Turn> transition) {
        if (transition.isEmpty()) {
            return CompletableFuture.completedFuture(Optional.empty());
        }
        SagaTransitions.Turn now = transition.get();
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

    /** The number of sagas in memory: unfinished sagas of this process. */
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

    /** Whether the hub is stopping. Later failures do not count as failures of a flow. */
    public boolean isClosed() {
        return closed;
    }

    /**
     * Stops the timer and the producers. The next process resumes sagas in flight. From now on a failed step does not
     * start a compensation: the shutdown may be the cause.
     */
    @Override
    public void close() {
        closed = true;
        timer.shutdownNow();
        compensations.close();
        messages.close();
    }
}
