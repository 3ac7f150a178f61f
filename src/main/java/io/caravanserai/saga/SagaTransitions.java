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

/** The turns of a saga from one state to the next, each decided and recorded in one unit of work. */
final class SagaTransitions {
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
     * Where a saga stands after a turn.
     *
     * @param state what it is now
     * @param steps in the order they joined; at least those that are to be undone or told
     * @param turned whether this turn brought it there
     */
    record Turn(SagaState state, List<SagaStep> steps, boolean turned) {}

    /** Turns a running saga to compensation, or to completion when it is past the point of no return. */
    CompletableFuture<Optional<Turn>> compensate(String sagaId, Cause cause) {
        return store.write("saga-compensate", sagaId, tx -> {
            Optional<SagaRecord> saga = log.find(tx, sagaId);
            if (saga.isEmpty()) {
                return Optional.empty();
            }
            if (!(saga.get().state() instanceof SagaState.Running running)) {
                return Optional.of(asItStands(tx, saga.get()));
            }
            return Optional.of(
                    listener.mayCompensate(tx, sagaId, cause)
                            ? startCompensating(tx, sagaId, running, cause)
                            : end(tx, sagaId, SagaStatus.RUNNING, running.complete()));
        });
    }

    /**
     * Completes a running saga, or turns it to compensation when its work is not done. Fails, and leaves the saga
     * running, when the work is not done because the store was unavailable: no step has failed then.
     *
     * @param otherwise why it is compensated then
     */
    CompletableFuture<Optional<Turn>> complete(String sagaId, Cause otherwise) {
        return store.write("saga-complete", sagaId, tx -> {
            boolean mayComplete = listener.mayComplete(tx, sagaId);
            SagaState.Completed completed = new SagaState.Running().complete();
            if (mayComplete && log.turn(tx, sagaId, SagaStatus.RUNNING, completed)) {
                return Optional.of(ended(tx, sagaId, completed));
            }
            Optional<SagaRecord> saga = log.find(tx, sagaId);
            if (saga.isEmpty() || !(saga.get().state() instanceof SagaState.Running running)) {
                return asItStands(tx, saga);
            }
            Optional<StoreUnavailableException> away = DurableSaga.storeUnavailable(otherwise.failure());
            if (away.isPresent()) {
                throw away.get();
            }
            listener.mayCompensate(tx, sagaId, otherwise);
            return Optional.of(startCompensating(tx, sagaId, running, otherwise));
        });
    }

    /** Puts a stuck saga to work again; {@code allSteps} begins once more with the last step. */
    CompletableFuture<Optional<Turn>> retry(String sagaId, boolean allSteps, OperatorAct act) {
        return store.write("saga-retry", sagaId, tx -> {
            Optional<SagaRecord> saga = log.find(tx, sagaId);
            if (saga.isEmpty() || !(saga.get().state() instanceof SagaState.Stuck stuck)) {
                return asItStands(tx, saga);
            }
            listener.acted(tx, sagaId, act);
            log.resetAttempts(tx, sagaId);
            if (allSteps) {
                log.rejoinAll(tx, sagaId);
            }
            SagaState next = stuck.retry();
            log.turn(tx, sagaId, SagaStatus.STUCK, next);
            return Optional.of(new Turn(next, log.steps(tx, sagaId), true));
        });
    }

    /** Ends a stuck saga of which a person has undone the rest by hand. */
    CompletableFuture<Optional<Turn>> resolve(String sagaId, OperatorAct act) {
        return store.write("saga-resolve", sagaId, tx -> {
            Optional<SagaRecord> saga = log.find(tx, sagaId);
            if (saga.isEmpty() || !(saga.get().state() instanceof SagaState.Stuck stuck)) {
                return asItStands(tx, saga);
            }
            listener.acted(tx, sagaId, act);
            SagaState.Compensated resolved = stuck.resolve();
            String detail = "resolved by hand: " + act.reason() + (act.who() == null ? "" : " (" + act.who() + ")");
            Cause cause = new Cause(resolved.cause().kind(), detail);
            return Optional.of(end(tx, sagaId, SagaStatus.STUCK, new SagaState.Compensated(cause)));
        });
    }

    /**
     * Records that a step is undone, and with the last one that the saga is.
     *
     * @param rest the other steps: none joins a saga that is being compensated, so the caller knows them all
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
            if (rest.stream().anyMatch(SagaTransitions::isToUndo)) {
                return Optional.of(new Turn(saga, rest, false));
            }
            SagaState.Compensated compensated = saga.finish();
            return log.turn(tx, sagaId, SagaStatus.COMPENSATING, compensated)
                    ? Optional.of(ended(tx, sagaId, compensated))
                    : asItStands(tx, log.find(tx, sagaId));
        });
    }

    /**
     * Records a failed attempt to undo a step.
     *
     * @param wait until the next attempt; null after the last one, which leaves the saga stuck
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
                log.turn(tx, sagaId, SagaStatus.COMPENSATING, stuck);
                return Optional.of(new Turn(stuck, List.of(), true));
            }
            return asItStands(tx, saga);
        });
    }

    static boolean isToUndo(SagaStep step) {
        return step.compensation() != null && step.status() == SagaStep.Status.JOINED;
    }

    static boolean isToTell(SagaStep step) {
        return step.completion() != null && step.status() == SagaStep.Status.JOINED;
    }

    private Turn startCompensating(Transaction tx, String sagaId, SagaState.Running running, Cause cause)
            throws SQLException {
        SagaState.Compensating compensating = running.compensate(cause);
        log.turn(tx, sagaId, SagaStatus.RUNNING, compensating);
        List<SagaStep> steps = log.steps(tx, sagaId);
        return steps.stream().anyMatch(SagaTransitions::isToUndo)
                ? new Turn(compensating, steps, true)
                : end(tx, sagaId, SagaStatus.COMPENSATING, compensating.finish());
    }

    private Turn end(Transaction tx, String sagaId, SagaStatus from, SagaState end) throws SQLException {
        if (!log.turn(tx, sagaId, from, end)) {
            throw new IllegalStateException("saga " + sagaId + " is not " + from + " any more");
        }
        return ended(tx, sagaId, end);
    }

    private Turn ended(Transaction tx, String sagaId, SagaState end) throws SQLException {
        listener.ended(tx, sagaId, end.status());
        return new Turn(end, end instanceof SagaState.Completed ? log.stepsToTell(tx, sagaId) : List.of(), true);
    }

    Optional<Turn> asItStands(Transaction tx, Optional<SagaRecord> saga) throws SQLException {
        return saga.isEmpty() ? Optional.empty() : Optional.of(asItStands(tx, saga.get()));
    }

    private Turn asItStands(Transaction tx, SagaRecord saga) throws SQLException {
        return new Turn(saga.state(), log.steps(tx, saga.sagaId()), false);
    }
}
