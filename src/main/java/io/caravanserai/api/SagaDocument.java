package io.caravanserai.api;

import io.caravanserai.saga.Cause;
import io.caravanserai.saga.SagaRecord;
import io.caravanserai.saga.SagaStatus;
import io.caravanserai.saga.SagaStep;
import io.caravanserai.support.Timestamps;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * The JSON document of a saga.
 * @param orderId null when the saga has no order
 * @param cause reason of the compensation; null when the saga was not compensated
 * @param steps null in lists
 */
record SagaDocument(
        String sagaId,
        String orderId,
        SagaStatus status,
        String cause,
        String detail,
        String deadline,
        String createdAt,
        String updatedAt,
        String endedAt,
        List<Step> steps) {

    /** @param error of the last failed attempt to compensate or complete; null when no attempt failed */
    record Step(
            int position,
            SagaStep.Status status,
            String compensation,
            String completion,
            Map<String, String> options,
            int failedAttempts,
            String error,
            String joinedAt) {

        static Step of(SagaStep step) {
            return new Step(
                    step.position(),
                    step.status(),
                    step.compensation(),
                    step.completion(),
                    step.options(),
                    step.attempts(),
                    step.error(),
                    Timestamps.text(step.joinedAt()));
        }
    }

    static SagaDocument of(SagaRecord saga, Instant deadline, String orderId, List<SagaStep> steps) {
        return new SagaDocument(
                saga.sagaId(),
                orderId,
                saga.state().status(),
                saga.state().why().map(why -> why.kind().name()).orElse(null),
                saga.state().why().map(Cause::detail).orElse(null),
                Timestamps.text(deadline),
                Timestamps.text(saga.createdAt()),
                Timestamps.text(saga.updatedAt()),
                Timestamps.text(saga.endedAt()),
                steps == null ? null : steps.stream().map(Step::of).toList());
    }
}
