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
 * <p>The row of the saga is written together with the first step. When the row already exists, the flow runs again
 * after a crash: steps that joined earlier are then recognised and not added a second time.
 */
final class DurableSaga implements CamelSagaCoordinator {
    private final DurableSagaService service;
    private final String sagaId;
    private Instant deadline;
    /** Whether a block of the flow has set the deadline. The default deadline then no longer applies. */
    private boolean deadlineByFlow;

    private boolean begun;
    /** Whether the saga was in the log before this run of the flow. */
    private boolean runAgain;
    /** Positions of earlier steps that have joined again in this run. */
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
        if (isFlowBlock(joining)) {
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

    /** Call before the flow runs again: steps that joined earlier will then be recognised. */
    synchronized void rejoin() {
        begun = false;
        runAgain = false;
        recognised.clear();
    }

    /** Writes the row of the saga unless a step has already done so. */
    CompletableFuture<Void> begin() {
        return service.store().write("saga-begin", sagaId, tx -> {
            begin(tx);
            return null;
        });
    }

    /** Returns false when the saga is already in the log. */
    private boolean begin(Transaction tx) throws SQLException {
        Instant latest;
        boolean byFlow;
        synchronized (this) {
            latest = deadline;
            byFlow = deadlineByFlow;
        }
        return service.log().begin(tx, sagaId, latest, byFlow);
    }

    /** Whether the step is the saga block of the flow itself, which has no compensation, completion or options. */
    private synchronized boolean isFlowBlock(SagaStep step) {
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

    /** Runs in a unit of work, which may run twice: fields change only after the commit. */
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

    /**
     * Joins a step from a message that may be delivered twice, to this process or to another: only the log shows
     * whether the step has joined.
     */
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
                    new IllegalStateException("hub is stopping; saga " + sagaId + " continues after the next start"));
        }
        Optional<StoreUnavailableException> unavailable = storeUnavailable(exchange == null ? null : failure(exchange));
        if (unavailable.isPresent()) {
            // No step has failed: the saga continues once the database is writable, up to the deadline.
            return CompletableFuture.failedFuture(unavailable.get());
        }
        Cause cause = cause(exchange, null);
        markCauseReported(exchange);
        return unwrapped(service.compensate(sagaId, cause));
    }

    static Optional<StoreUnavailableException> storeUnavailable(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof StoreUnavailableException unavailable) {
                return Optional.of(unavailable);
            }
        }
        return Optional.empty();
    }

    @Override
    public CompletableFuture<Void> complete(Exchange exchange) {
        Cause otherwise = cause(exchange, "the flow ended before its work was done");
        return unwrapped(service.complete(sagaId, otherwise).whenComplete((done, failure) -> {
            if (failure != null) {
                markCauseReported(exchange);
            }
        }));
    }

    /** @param otherwise detail when no step failed; null for no detail */
    private static Cause cause(Exchange exchange, String otherwise) {
        if (exchange == null) {
            return new Cause(Cause.Kind.FAILED, otherwise);
        }
        Throwable failure = failure(exchange);
        String place = exchange.getProperty(ExchangePropertyKey.FAILURE_ROUTE_ID, String.class);
        String detail = failure == null ? otherwise : Cause.text(failure);
        if (failure != null && otherwise != null) {
            detail = otherwise + "; handled failure: " + detail;
        }
        return new Cause(Cause.Kind.FAILED, detail, place, FailurePlace.stepOf(exchange, failure), failure);
    }

    /**
     * Marks the failure of the exchange as reported by the saga. A failure after the completion of the saga is not
     * marked.
     */
    private static void markCauseReported(Exchange exchange) {
        if (exchange != null) {
            exchange.setProperty(DurableSagaService.CAUSE_TOLD, true);
        }
    }

    /** The exception of the exchange, or the last exception that an onException handled; null when there is none. */
    private static Throwable failure(Exchange exchange) {
        return exchange.getException() != null
                ? exchange.getException()
                : exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Throwable.class);
    }

    /** Unwraps a CompletionException: Camel puts the failure of the future on the exchange unchanged. */
    private static CompletableFuture<Void> unwrapped(CompletableFuture<?> future) {
        CompletableFuture<Void> unwrapped = new CompletableFuture<>();
        future.whenComplete((done, failure) -> {
            if (failure == null) {
                unwrapped.complete(null);
            } else {
                unwrapped.completeExceptionally(failure instanceof CompletionException ? failure.getCause() : failure);
            }
        });
        return unwrapped;
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
