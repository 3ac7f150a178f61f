package io.caravanserai.saga;

import io.caravanserai.store.Store;
import io.caravanserai.store.StoreUnavailableException;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/** The transitions of a saga between states. Each transition is decided and recorded in one unit of work. */
final class SagaTransitions {
    private static final Logger LOG = LoggerFactory.getLogger(SagaTransitions.class);

    private final Store store;
    private final SqlSagaLog log;
    private final SagaListener listener;
    private final Clock clock;

    SagaTransitions(Store store, SqlSagaLog log, SagaListener listener, Clock clock) {
        this.clock = clock;
        this.store = store;
        this.log = log;
        this.listener = listener;
    }

    /**
     * The state of a saga after a call.
     *
     * @param state the current state
     * @param steps in the order of joining; at least the steps with a pending compensation or completion
     * @param changed whether this call changed the state
     */
    record Turn(SagaState state, List<SagaStep> steps, boolean changed) {}

    /**
     * Starts the compensation of a running saga, or completes the saga when past the point of no return. Empty when the
     * saga is unknown.
     */
    CompletableFuture<Optional<Turn>> compensate(String sagaId, Cause cause) {
        return store.write("saga-compensate", sagaId, tx -> {
            Optional<SagaRecord> saga = log.find(tx, sagaId);
            if (saga.isEmpty()) {
                return Optional.empty();
            }
            if (!(saga.get().state() instanceof SagaState.Running running)) {
                return Optional.of(unchanged(tx, saga.get()));
            }
            return Optional.of(
                    listener.mayCompensate(tx, sagaId, cause)
                            ? startCompensating(tx, sagaId, running, cause)
                            : end(tx, sagaId, SagaStatus.RUNNING, running.complete()));
        });
    }

    /**
     * Completes a running saga, or starts the compensation when the work is not done. Fails, and leaves the saga
     * running, when the work is not done because the store was unavailable: no step has failed in that case.
     *
     * @param otherwise the cause of that compensation
     */
    CompletableFuture<Optional<Turn>> complete(String sagaId, Cause otherwise) {
        return store.write("saga-complete", sagaId, tx -> {
            boolean mayComplete = listener.mayComplete(tx, sagaId);
            SagaState.Completed completed = new SagaState.Running().complete();
            if (mayComplete && log.transition(tx, sagaId, SagaStatus.RUNNING, completed)) {
                return Optional.of(ended(tx, sagaId, completed));
            }
            Optional<SagaRecord> saga = log.find(tx, sagaId);
            if (saga.isEmpty() || !(saga.get().state() instanceof SagaState.Running running)) {
                return unchanged(tx, saga);
            }
            Optional<StoreUnavailableException> unavailable = DurableSaga.storeUnavailable(otherwise.failure());
            if (unavailable.isPresent()) {
                throw unavailable.get();
            }
            listener.mayCompensate(tx, sagaId, otherwise);
            return Optional.of(startCompensating(tx, sagaId, running, otherwise));
        });
    }

    /** Resumes the compensation of a stuck saga; {@code allSteps} compensates all steps again, last step first. */
    CompletableFuture<Optional<Turn>> retry(String sagaId, boolean allSteps, OperatorAct act) {
        return store.write("saga-retry", sagaId, tx -> {
            Optional<SagaRecord> saga = log.find(tx, sagaId);
            if (saga.isEmpty() || !(saga.get().state() instanceof SagaState.Stuck stuck)) {
                return unchanged(tx, saga);
            }
            listener.acted(tx, sagaId, act);
            log.resetAttempts(tx, sagaId);
            if (allSteps) {
                log.rejoinAll(tx, sagaId);
            }
            SagaState next = stuck.retry();
            log.transition(tx, sagaId, SagaStatus.STUCK, next);
            return Optional.of(new Turn(next, log.steps(tx, sagaId), true));
        });
    }

    /** Ends a stuck saga after a person has undone the remaining effects. */
    CompletableFuture<Optional<Turn>> resolve(String sagaId, OperatorAct act) {
        return store.write("saga-resolve", sagaId, tx -> {
            Optional<SagaRecord> saga = log.find(tx, sagaId);
            if (saga.isEmpty() || !(saga.get().state() instanceof SagaState.Stuck stuck)) {
                return unchanged(tx, saga);
            }
            listener.acted(tx, sagaId, act);
            SagaState.Compensated resolved = stuck.resolve();
            String detail = "resolved by hand: " + act.reason() + (act.who() == null ? "" : " (" + act.who() + ")");
            Cause cause = new Cause(resolved.cause().kind(), detail);
            return Optional.of(end(tx, sagaId, SagaStatus.STUCK, new SagaState.Compensated(cause)));
        });
    }

    /**
     * Records that a step is compensated. After the last step also records that the saga is compensated.
     *
     * @param rest all other steps: no step can join a saga that is being compensated
     */
    CompletableFuture<Optional<Turn>> compensated(
            String sagaId,
            SagaState.Compensating saga,
            SagaStep step,
            List<SagaStep> rest,
            CompensationAttempt attempt) {
        return store.write("saga-compensated", sagaId, tx -> {
            if (log.markStep(tx, sagaId, step.position(), SagaStep.Status.COMPENSATED)) {
                listener.compensated(tx, sagaId, attempt);
            }
            if (rest.stream().anyMatch(SagaTransitions::hasPendingCompensation)) {
                return Optional.of(new Turn(saga, rest, false));
            }
            SagaState.Compensated compensated = saga.finish();
            return log.transition(tx, sagaId, SagaStatus.COMPENSATING, compensated)
                    ? Optional.of(ended(tx, sagaId, compensated))
                    : unchanged(tx, log.find(tx, sagaId));
        });
    }

    /** One line for each saga that waits for an operator. A search for the order id finds the line. */
    private static void logStuck(String sagaId, Optional<String> subject, CompensationAttempt attempt, String error) {
        LoggingEventBuilder line = LOG.atError();
        if (subject.isPresent()) {
            line = line.addKeyValue("orderId", subject.get());
        }
        line.addKeyValue("sagaId", sagaId)
                .addKeyValue("compensation", attempt.compensation())
                .addKeyValue("attempt", attempt.number())
                .addKeyValue("error", error)
                .log("saga is STUCK; an operator must retry, compensate or resolve the saga");
    }

    /**
     * Records a failed attempt to compensate a step.
     *
     * @param wait until the next attempt; null after the last attempt, which leaves the saga stuck
     */
    CompletableFuture<Optional<Turn>> compensationFailed(
            String sagaId, SagaStep step, CompensationAttempt attempt, String error, Duration wait) {
        return store.write("saga-compensation-failed", sagaId, tx -> {
            log.failStep(tx, sagaId, step.position(), attempt.number(), error);
            Instant next = wait == null ? null : clock.instant().plus(wait);
            listener.compensationFailed(tx, sagaId, attempt, error, next);
            Optional<SagaRecord> saga = log.find(tx, sagaId);
            if (saga.isPresent() && wait == null && saga.get().state() instanceof SagaState.Compensating compensating) {
                SagaState.Stuck stuck = compensating.giveUp();
                log.transition(tx, sagaId, SagaStatus.COMPENSATING, stuck);
                Optional<String> subject = listener.subject(tx, sagaId);
                tx.afterCommit(() -> logStuck(sagaId, subject, attempt, error));
                return Optional.of(new Turn(stuck, List.of(), true));
            }
            return unchanged(tx, saga);
        });
    }

    static boolean hasPendingCompensation(SagaStep step) {
        return step.compensation() != null && step.status() == SagaStep.Status.JOINED;
    }

    static boolean hasPendingCompletion(SagaStep step) {
        return step.completion() != null && step.status() == SagaStep.Status.JOINED;
    }

    private Turn startCompensating(Transaction tx, String sagaId, SagaState.Running running, Cause cause)
            throws SQLException {
        SagaState.Compensating compensating = running.compensate(cause);
        log.transition(tx, sagaId, SagaStatus.RUNNING, compensating);
        List<SagaStep> steps = log.steps(tx, sagaId);
        return steps.stream().anyMatch(SagaTransitions::hasPendingCompensation)
                ? new Turn(compensating, steps, true)
                : end(tx, sagaId, SagaStatus.COMPENSATING, compensating.finish());
    }

    private Turn end(Transaction tx, String sagaId, SagaStatus from, SagaState end) throws SQLException {
        if (!log.transition(tx, sagaId, from, end)) {
            throw new IllegalStateException("saga " + sagaId + " is not " + from + " any more");
        }
        return ended(tx, sagaId, end);
    }

    private Turn ended(Transaction tx, String sagaId, SagaState end) throws SQLException {
        listener.ended(tx, sagaId, end.status());
        return new Turn(
                end, end instanceof SagaState.Completed ? log.stepsWithPendingCompletion(tx, sagaId) : List.of(), true);
    }

    Optional<Turn> unchanged(Transaction tx, Optional<SagaRecord> saga) throws SQLException {
        return saga.isEmpty() ? Optional.empty() : Optional.of(unchanged(tx, saga.get()));
    }

    private Turn unchanged(Transaction tx, SagaRecord saga) throws SQLException {
        return new Turn(saga.state(), log.steps(tx, saga.sagaId()), false);
    }
}
