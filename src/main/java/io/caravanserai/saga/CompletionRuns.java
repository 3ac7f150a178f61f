package io.caravanserai.saga;

import io.caravanserai.store.Store;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls the completion endpoints of the steps of completed sagas, last step first as Camel does. Each call is retried
 * until the call succeeds.
 */
final class CompletionRuns {
    private static final Logger LOG = LoggerFactory.getLogger(CompletionRuns.class);

    private final Store store;
    private final SqlSagaLog log;
    private final SagaMessages messages;
    private final Backoff backoff;
    private final ScheduledExecutorService timer;
    private final Set<String> running = ConcurrentHashMap.newKeySet();

    CompletionRuns(
            Store store, SqlSagaLog log, SagaMessages messages, Backoff backoff, ScheduledExecutorService timer) {
        this.store = store;
        this.log = log;
        this.messages = messages;
        this.backoff = backoff;
        this.timer = timer;
    }

    /** Starts the pending completion calls; does nothing when a run for the saga is in flight. */
    void run(String sagaId, List<SagaStep> steps) {
        List<SagaStep> pending =
                steps.stream().filter(SagaTransitions::hasPendingCompletion).toList();
        if (!pending.isEmpty() && running.add(sagaId)) {
            complete(sagaId, pending, pending.size() - 1, 1);
        }
    }

    private void complete(String sagaId, List<SagaStep> pending, int index, int attempt) {
        if (index < 0) {
            running.remove(sagaId);
            return;
        }
        SagaStep step = pending.get(index);
        messages.complete(step.completion(), sagaId, step.options())
                .thenCompose(done -> store.write("saga-step-completed", sagaId, tx -> {
                    log.markStep(tx, sagaId, step.position(), SagaStep.Status.COMPLETED);
                    return null;
                }))
                .whenComplete((done, failure) -> {
                    if (failure == null) {
                        complete(sagaId, pending, index - 1, 1);
                    } else {
                        LOG.atWarn()
                                .addKeyValue("sagaId", sagaId)
                                .addKeyValue("completion", step.completion())
                                .addKeyValue("attempt", attempt)
                                .setCause(failure)
                                .log("completion failed; retrying");
                        timer.schedule(
                                () -> complete(sagaId, pending, index, attempt + 1),
                                backoff.after(attempt).toMillis(),
                                TimeUnit.MILLISECONDS);
                    }
                });
    }
}
