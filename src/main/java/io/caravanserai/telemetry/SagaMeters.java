package io.caravanserai.telemetry;

import io.caravanserai.saga.Cause;
import io.caravanserai.saga.CompensationAttempt;
import io.caravanserai.saga.OperatorAct;
import io.caravanserai.saga.SagaListener;
import io.caravanserai.saga.SagaStatus;
import io.caravanserai.store.Transaction;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;

/**
 * Counts ended sagas and failed compensations, and forwards every call to the delegate listener. The delegate makes the
 * decisions.
 */
public final class SagaMeters implements SagaListener {
    private final SagaListener delegate;
    private final MeterRegistry registry;
    private final WorkMeters work;

    public SagaMeters(SagaListener delegate, MeterRegistry registry) {
        this.delegate = delegate;
        this.registry = registry;
        this.work = new WorkMeters(registry);
    }

    @Override
    public boolean mayCompensate(Transaction tx, String sagaId, Cause cause) throws SQLException {
        return delegate.mayCompensate(tx, sagaId, cause);
    }

    @Override
    public boolean mayComplete(Transaction tx, String sagaId) throws SQLException {
        return delegate.mayComplete(tx, sagaId);
    }

    @Override
    public void ended(Transaction tx, String sagaId, SagaStatus status) throws SQLException {
        delegate.ended(tx, sagaId, status);
        tx.afterCommit(() -> Counter.builder("hub.sagas.ended")
                .description("Sagas that ended, by status")
                .tag("status", status.name())
                .register(registry)
                .increment());
    }

    @Override
    public void compensated(Transaction tx, String sagaId, CompensationAttempt attempt) throws SQLException {
        delegate.compensated(tx, sagaId, attempt);
        tx.afterCommit(() -> work.compensation(name(attempt.compensation()), "done", attempt.took()));
    }

    @Override
    public void compensationFailed(
            Transaction tx, String sagaId, CompensationAttempt attempt, String error, Instant next)
            throws SQLException {
        delegate.compensationFailed(tx, sagaId, attempt, error, next);
        tx.afterCommit(() -> work.compensation(name(attempt.compensation()), "failed", attempt.took()));
        tx.afterCommit(() -> Counter.builder("hub.compensations.failed")
                .description("Attempts to compensate that failed; the last one leaves its saga STUCK")
                .tag("gave.up", String.valueOf(next == null))
                .register(registry)
                .increment());
    }

    /** The name from an endpoint URI without version: a time series per version would grow without bound. */
    private static String name(String uri) {
        return uri.replaceFirst("^[a-z-]+:(//)?", "").replaceFirst("[@?].*$", "");
    }

    @Override
    public Optional<String> subject(Transaction tx, String sagaId) throws SQLException {
        return delegate.subject(tx, sagaId);
    }

    @Override
    public void acted(Transaction tx, String sagaId, OperatorAct act) throws SQLException {
        delegate.acted(tx, sagaId, act);
    }
}
