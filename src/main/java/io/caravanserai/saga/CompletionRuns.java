package io.caravanserai.saga;

import io.caravanserai.store.Store;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the steps of completed sagas that asked to hear of it, last first as Camel does, until each has heard. */
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

    /** Starts telling what is still to be told; nothing happens when that is under way. */
    void run(String sagaId, List<SagaStep> steps) {
        List<SagaStep> owed = steps.stream().filter(SagaTransitions::isToTell).toList();
        if (!owed.isEmpty() && running.add(sagaId)) {
            tell(sagaId, owed, owed.size() - 1, 1);
        }
    }

    private void tell(String sagaId, List<SagaStep> owed, int index, int attempt) {
        if (index < 0) {
            running.remove(sagaId);
            return;
        }
        SagaStep step = owed.get(index);
        messages.complete(step.completion(), sagaId, step.options())
                .thenCompose(told -> store.write("saga-step-completed", sagaId, tx -> {
                    log.markStep(tx, sagaId, step.position(), SagaStep.Status.COMPLETED);
                    return null;
                }))
                .whenComplete((told, failure) -> {
                    if (failure == null) {
                        tell(sagaId, owed, index - 1, 1);
                    } else {
                        LOG.atWarn()
                                .addKeyValue("sagaId", sagaId)
                                .addKeyValue("completion", step.completion())
                                .addKeyValue("attempt", attempt)
                                .setCause(failure)
                                .log("a completion failed; it is tried again");
                        timer.schedule(
                                () -> tell(sagaId, owed, index, attempt + 1),
                                backoff.after(attempt).toMillis(),
                                TimeUnit.MILLISECONDS);
                    }
                });
    }
}
