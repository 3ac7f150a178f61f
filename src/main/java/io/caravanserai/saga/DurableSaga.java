package io.caravanserai.saga;

import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
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
    private boolean begun;
    private int positions;
    /** Steps of an earlier run that have not joined again yet. */
    private final List<SagaStep> before = new LinkedList<>();

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
                .map(joining.joinedAt()::plusMillis)
                .orElse(null);
        if (isOnlyTheFrame(joining)) {
            startWithin(limit);
            return CompletableFuture.completedFuture(null);
        }
        return service.store()
                .<Void>write("saga-join", sagaId, tx -> {
                    join(tx, joining, limit);
                    return null;
                })
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        rejoin();
                    }
                });
    }

    /** The flow is about to run again: steps that have joined are to be recognised. */
    synchronized void rejoin() {
        begun = false;
    }

    /** Writes the saga down if no step has yet. */
    CompletableFuture<Void> begin() {
        Instant latest = currentDeadline();
        return service.store().write("saga-begin", sagaId, tx -> {
            service.log().begin(tx, sagaId, latest);
            return null;
        });
    }

    private synchronized Instant currentDeadline() {
        return deadline;
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
        }
    }

    private void join(Transaction tx, SagaStep step, Instant limit) throws SQLException {
        beginOrRecall(tx);
        boolean isNew = !joinedBefore(step);
        boolean joined = isNew && service.log().join(tx, sagaId, at(step));
        if (!joined) {
            requireRunning(tx);
        }
        if (limit != null) {
            service.log().shorten(tx, sagaId, limit);
        }
        tx.afterCommit(this::hasBegun);
    }

    private synchronized void beginOrRecall(Transaction tx) throws SQLException {
        if (!begun && !service.log().begin(tx, sagaId, deadline)) {
            List<SagaStep> joined = service.log().steps(tx, sagaId);
            before.clear();
            before.addAll(joined);
            positions = joined.size();
        }
    }

    private synchronized void hasBegun() {
        begun = true;
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

    private synchronized boolean joinedBefore(SagaStep step) {
        for (Iterator<SagaStep> each = before.iterator(); each.hasNext(); ) {
            if (each.next().isSame(step)) {
                each.remove();
                return true;
            }
        }
        return false;
    }

    private synchronized SagaStep at(SagaStep step) {
        return new SagaStep(
                positions++,
                step.compensation(),
                step.completion(),
                step.options(),
                step.status(),
                step.attempts(),
                step.error(),
                step.joinedAt());
    }

    @Override
    public CompletableFuture<Void> compensate(Exchange exchange) {
        Throwable failure = exchange == null ? null : exchange.getException();
        String detail = failure == null ? null : String.valueOf(failure.getMessage());
        return service.compensate(sagaId, new Cause(Cause.Kind.FAILED, detail)).thenApply(status -> null);
    }

    @Override
    public CompletableFuture<Void> complete(Exchange exchange) {
        return service.complete(sagaId);
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
