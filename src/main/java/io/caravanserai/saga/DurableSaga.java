package io.caravanserai.saga;

import io.caravanserai.store.StoreUnavailableException;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.saga.CamelSagaCoordinator;
import org.apache.camel.saga.CamelSagaStep;

/**
 * The coordinator of one saga that has not ended. Thread-safe.
 *
 * <p>The saga's row is written together with its first step. When the row is there already, the flow is being run
 * again after a crash: steps that joined before are then recognised rather than added a second time.
 */
final class DurableSaga implements CamelSagaCoordinator {
    private final DurableSagaService service;
    private final String sagaId;
    private Instant deadline;
    /** Whether a block of the flow has set the deadline: then the default counts no more. */
    private boolean deadlineByFlow;

    private boolean begun;
    /** Whether the saga was in the log before this run of its flow. */
    private boolean runAgain;
    /** Positions of steps from before that have joined again in this run. */
    private final Set<Integer> recognised = new HashSet<>();

    DurableSaga(DurableSagaService service, String sagaId, Instant deadline) {
        this.service = service;
        this.sagaId = sagaId;
        this.deadline = deadline;
    }

    @Override
    public String getId() {
        return sagaId;
    }

    @Override
    public CompletableFuture<Void> beginStep(Exchange exchange, CamelSagaStep step) {
        Map<String, String> options;
        try {
            options = evaluate(exchange, step);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
        SagaStep joining = new SagaStep(
                0,
                step.getCompensation().map(Endpoint::getEndpointUri).orElse(null),
                step.getCompletion().map(Endpoint::getEndpointUri).orElse(null),
                options,
                SagaStep.Status.JOINED,
                0,
                null,
                service.clock().instant());
        Instant limit = step.getTimeoutInMilliseconds()
                .map(service.running().instant()::plusMillis)
                .orElse(null);
        if (isOnlyTheFrame(joining)) {
            startWithin(limit);
            return CompletableFuture.completedFuture(null);
        }
        boolean maybeAgain = exchange.getMessage().getHeader(DurableSagaService.MAYBE_AGAIN, false, Boolean.class);
        return service.store().write("saga-join", sagaId, tx -> {
            if (maybeAgain) {
                joinOnce(tx, joining, limit);
            } else {
                join(tx, joining, limit);
            }
            return null;
        });
    }

    /** The flow is about to run again: steps that have joined are to be recognised. */
    synchronized void rejoin() {
        begun = false;
        runAgain = false;
        recognised.clear();
    }

    /** Writes the saga down if no step has yet. */
    CompletableFuture<Void> begin() {
        return service.store().write("saga-begin", sagaId, tx -> {
            begin(tx);
            return null;
        });
    }

    /** False when the saga is in the log already. */
    private boolean begin(Transaction tx) throws SQLException {
        Instant latest;
        boolean byFlow;
        synchronized (this) {
            latest = deadline;
            byFlow = deadlineByFlow;
        }
        return service.log().begin(tx, sagaId, latest, byFlow);
    }

    /** Whether this is the saga block of the flow itself, which has nothing to undo and nothing to hear. */
    private synchronized boolean isOnlyTheFrame(SagaStep step) {
        return !begun
                && step.compensation() == null
                && step.completion() == null
                && step.options().isEmpty();
    }

    private synchronized void startWithin(Instant limit) {
        if (limit != null) {
            deadline = limit;
            deadlineByFlow = true;
        }
    }

    /** A unit of work: it may run twice, so memory changes only once it is durable. */
    private void join(Transaction tx, SagaStep step, Instant limit) throws SQLException {
        boolean again = isRunAgain() || !isBegun() && !begin(tx);
        Optional<SagaStep> earlier = again ? earlier(tx, step) : Optional.empty();
        if (earlier.isPresent() || !service.log().join(tx, sagaId, step)) {
            requireRunning(tx);
        }
        if (limit != null && earlier.isEmpty()) {
            service.log().limit(tx, sagaId, limit);
        }
        tx.afterCommit(() -> joined(again, earlier));
    }

    /** Only the log knows what has joined when a message may come twice, to this process or to another. */
    private void joinOnce(Transaction tx, SagaStep step, Instant limit) throws SQLException {
        boolean joined = service.log().steps(tx, sagaId).stream().anyMatch(step::isSame);
        if (joined || !service.log().join(tx, sagaId, step)) {
            requireRunning(tx);
        }
        if (limit != null && !joined) {
            service.log().limit(tx, sagaId, limit);
        }
    }

    private Optional<SagaStep> earlier(Transaction tx, SagaStep step) throws SQLException {
        return service.log().steps(tx, sagaId).stream()
                .filter(joined -> joined.isSame(step) && !isRecognised(joined))
                .findFirst();
    }

    private synchronized void joined(boolean again, Optional<SagaStep> earlier) {
        begun = true;
        runAgain = again;
        earlier.ifPresent(step -> recognised.add(step.position()));
    }

    private synchronized boolean isBegun() {
        return begun;
    }

    private synchronized boolean isRunAgain() {
        return runAgain;
    }

    private synchronized boolean isRecognised(SagaStep step) {
        return recognised.contains(step.position());
    }

    private void requireRunning(Transaction tx) throws SQLException {
        SagaStatus status = service.log()
                .find(tx, sagaId)
                .map(saga -> saga.state().status())
                .orElse(SagaStatus.COMPENSATED);
        if (status != SagaStatus.RUNNING) {
            throw new SagaNotRunningException(sagaId, status);
        }
    }

    @Override
    public CompletableFuture<Void> compensate(Exchange exchange) {
        if (service.isClosed()) {
            return CompletableFuture.failedFuture(
                    new IllegalStateException("the hub is stopping: saga " + sagaId + " goes on with its next start"));
        }
        Optional<StoreUnavailableException> away = storeUnavailable(exchange == null ? null : failure(exchange));
        if (away.isPresent()) {
            // No step has failed: the order goes on once the database can be written, up to its deadline.
            return CompletableFuture.failedFuture(away.get());
        }
        Cause cause = cause(exchange, null);
        told(exchange);
        return bare(service.compensate(sagaId, cause));
    }

    static Optional<StoreUnavailableException> storeUnavailable(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof StoreUnavailableException away) {
                return Optional.of(away);
            }
        }
        return Optional.empty();
    }

    @Override
    public CompletableFuture<Void> complete(Exchange exchange) {
        Cause otherwise = cause(exchange, "the flow ended before its work was done");
        return bare(service.complete(sagaId, otherwise).whenComplete((done, failure) -> {
            if (failure != null) {
                told(exchange);
            }
        }));
    }

    /** @param otherwise what to say when nothing failed; null for nothing */
    private static Cause cause(Exchange exchange, String otherwise) {
        if (exchange == null) {
            return new Cause(Cause.Kind.FAILED, otherwise);
        }
        Throwable failure = failure(exchange);
        String place = exchange.getProperty(ExchangePropertyKey.FAILURE_ROUTE_ID, String.class);
        String detail = failure == null ? otherwise : Cause.text(failure);
        if (failure != null && otherwise != null) {
            detail = otherwise + "; it had handled: " + detail;
        }
        return new Cause(Cause.Kind.FAILED, detail, place, FailurePlace.stepOf(exchange, failure), failure);
    }

    /** What failed on the exchange so far is the saga's to tell. What fails after a saga is complete is not. */
    private static void told(Exchange exchange) {
        if (exchange != null) {
            exchange.setProperty(DurableSagaService.CAUSE_TOLD, true);
        }
    }

    /** What an onException has handled is no failure of the exchange any more. */
    private static Throwable failure(Exchange exchange) {
        return exchange.getException() != null
                ? exchange.getException()
                : exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Throwable.class);
    }

    /** Camel gives the failure of a future to the exchange as it is, so it must not be wrapped. */
    private static CompletableFuture<Void> bare(CompletableFuture<?> future) {
        CompletableFuture<Void> bare = new CompletableFuture<>();
        future.whenComplete((done, failure) -> {
            if (failure == null) {
                bare.complete(null);
            } else {
                bare.completeExceptionally(failure instanceof CompletionException ? failure.getCause() : failure);
            }
        });
        return bare;
    }

    private static Map<String, String> evaluate(Exchange exchange, CamelSagaStep step) {
        Map<String, String> values = new HashMap<>();
        step.getOptions().forEach((name, expression) -> {
            String value = expression.evaluate(exchange, String.class);
            if (value != null) {
                values.put(name, value);
            }
        });
        return values;
    }
}
