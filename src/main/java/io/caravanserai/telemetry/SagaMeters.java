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

/** Counts how sagas end and how compensations fail, beside the listener that decides. */
public final class SagaMeters implements SagaListener {
    private final SagaListener decides;
    private final MeterRegistry registry;
    private final WorkMeters work;

    public SagaMeters(SagaListener decides, MeterRegistry registry) {
        this.decides = decides;
        this.registry = registry;
        this.work = new WorkMeters(registry);
    }

    @Override
    public boolean mayCompensate(Transaction tx, String sagaId, Cause cause) throws SQLException {
        return decides.mayCompensate(tx, sagaId, cause);
    }

    @Override
    public boolean mayComplete(Transaction tx, String sagaId) throws SQLException {
        return decides.mayComplete(tx, sagaId);
    }

    @Override
    public void ended(Transaction tx, String sagaId, SagaStatus status) throws SQLException {
        decides.ended(tx, sagaId, status);
        tx.afterCommit(() -> Counter.builder("hub.sagas.ended")
                .description("Sagas that ended, by status")
                .tag("status", status.name())
                .register(registry)
                .increment());
    }

    @Override
    public void compensated(Transaction tx, String sagaId, CompensationAttempt attempt) throws SQLException {
        decides.compensated(tx, sagaId, attempt);
        tx.afterCommit(() -> work.compensation(name(attempt.compensation()), "done", attempt.took()));
    }

    @Override
    public void compensationFailed(
            Transaction tx, String sagaId, CompensationAttempt attempt, String error, Instant next)
            throws SQLException {
        decides.compensationFailed(tx, sagaId, attempt, error, next);
        tx.afterCommit(() -> work.compensation(name(attempt.compensation()), "failed", attempt.took()));
        tx.afterCommit(() -> Counter.builder("hub.compensations.failed")
                .description("Attempts to compensate that failed; the last one leaves its saga STUCK")
                .tag("gave.up", String.valueOf(next == null))
                .register(registry)
                .increment());
    }

    /** The name in an endpoint's uri, without its version: a series for each version would never end. */
    private static String name(String uri) {
        return uri.replaceFirst("^[a-z-]+:(//)?", "").replaceFirst("[@?].*$", "");
    }

    @Override
    public void acted(Transaction tx, String sagaId, OperatorAct act) throws SQLException {
        decides.acted(tx, sagaId, act);
    }
}
