package io.caravanserai.saga;

import io.caravanserai.store.StoreUnavailableException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Compensates the steps of sagas, last step first. Each step is retried until the compensation succeeds or the attempts
 * are used up. At most one run per saga.
 */
final class CompensationRuns {
    private static final Logger LOG = LoggerFactory.getLogger(CompensationRuns.class);
    private static final long STORE_RETRY_MILLIS = 500;

    private final SagaTransitions transitions;
    private final SagaMessages messages;
    private final Backoff backoff;
    private final ScheduledExecutorService timer;
    private final Supplier<String> ids;
    private volatile boolean closed;
    private final Map<String, CompletableFuture<SagaStatus>> running = new ConcurrentHashMap<>();

    /** @param ids source of the start ids of attempts; see {@link CompensationAttempt} */
    CompensationRuns(
            SagaTransitions transitions,
            SagaMessages messages,
            Backoff backoff,
            ScheduledExecutorService timer,
            Supplier<String> ids) {
        this.ids = ids;
        this.transitions = transitions;
        this.messages = messages;
        this.backoff = backoff;
        this.timer = timer;
    }

    /**
     * Starts a run, or joins the run in flight. The future completes with COMPENSATED or STUCK once that status is
     * durable.
     */
    CompletableFuture<SagaStatus> run(String sagaId, SagaState.Compensating saga, List<SagaStep> steps) {
        CompletableFuture<SagaStatus> outcome = new CompletableFuture<>();
        CompletableFuture<SagaStatus> earlier = running.putIfAbsent(sagaId, outcome);
        if (earlier != null) {
            return earlier;
        }
        next(sagaId, saga, steps);
        return outcome;
    }

    boolean isRunning(String sagaId) {
        return running.containsKey(sagaId);
    }

    private void next(String sagaId, SagaState.Compensating saga, List<SagaStep> steps) {
        Optional<SagaStep> last = steps.stream()
                .filter(SagaTransitions::hasPendingCompensation)
                .max(Comparator.comparingInt(SagaStep::position));
        if (last.isEmpty()) {
            end(sagaId, SagaStatus.COMPENSATED);
        } else {
            undo(sagaId, saga, last.get(), steps);
        }
    }

    private void undo(String sagaId, SagaState.Compensating saga, SagaStep step, List<SagaStep> steps) {
        List<SagaStep> rest = steps.stream().filter(other -> other != step).toList();
        int attempt = step.attempts() + 1;
        String startId = ids.get();
        long start = System.nanoTime();
        messages.compensate(step.compensation(), sagaId, step.options()).whenComplete((done, failure) -> {
            CompensationAttempt ended = new CompensationAttempt(
                    step.compensation(), attempt, startId, Duration.ofNanos(System.nanoTime() - start));
            if (failure == null) {
                record(sagaId, () -> transitions.compensated(sagaId, saga, step, rest, ended));
            } else if (!closed) {
                boolean last = attempt >= backoff.attempts();
                LOG.atLevel(last ? Level.DEBUG : Level.WARN)
                        .addKeyValue("sagaId", sagaId)
                        .addKeyValue("compensation", step.compensation())
                        .addKeyValue("options", step.options())
                        .addKeyValue("attempt", attempt)
                        .addKeyValue("error", String.valueOf(failure))
                        .log(last ? "compensation failed; no attempt is left" : "compensation failed; retrying");
                record(
                        sagaId,
                        () -> transitions.compensationFailed(
                                sagaId,
                                step,
                                ended,
                                String.valueOf(failure.getMessage()),
                                last ? null : backoff.after(attempt)));
            }
        });
    }

    /** Records a transition. Retries until the store accepts the write: a run must not end half-way. */
    private void record(String sagaId, TurnUnit unit) {
        unit.submit().whenComplete((transition, failure) -> {
            if (failure != null) {
                // The store itself logs an outage of the database.
                LOG.atLevel(failure instanceof StoreUnavailableException ? Level.DEBUG : Level.WARN)
                        .addKeyValue("sagaId", sagaId)
                        .setCause(failure)
                        .log("saga transition not persisted; retrying");
                later(STORE_RETRY_MILLIS, () -> record(sagaId, unit));
            } else if (transition.isPresent() && transition.get().state() instanceof SagaState.Compensating saga) {
                proceed(sagaId, saga, transition.get().steps());
            } else {
                end(sagaId, transition.map(each -> each.state().status()).orElse(SagaStatus.COMPENSATED));
            }
        });
    }

    private void proceed(String sagaId, SagaState.Compensating saga, List<SagaStep> steps) {
        int failedAttempts = steps.stream()
                .filter(SagaTransitions::hasPendingCompensation)
                .max(Comparator.comparingInt(SagaStep::position))
                .map(SagaStep::attempts)
                .orElse(0);
        if (failedAttempts == 0) {
            next(sagaId, saga, steps);
        } else {
            later(backoff.after(failedAttempts).toMillis(), () -> next(sagaId, saga, steps));
        }
    }

    /** Leaves the remaining compensations to the next process. Later failures are not counted as failed attempts. */
    void close() {
        closed = true;
    }

    private void later(long millis, Runnable work) {
        if (closed) {
            return;
        }
        timer.schedule(work, millis, TimeUnit.MILLISECONDS);
    }

    private void end(String sagaId, SagaStatus status) {
        CompletableFuture<SagaStatus> outcome = running.remove(sagaId);
        if (outcome != null) {
            outcome.complete(status);
        }
    }

    @FunctionalInterface
    private interface TurnUnit {
        CompletableFuture<Optional<SagaTransitions.Turn>> submit();
    }
}
