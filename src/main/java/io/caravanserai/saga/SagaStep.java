package io.caravanserai.saga;

import java.time.Instant;
import java.util.Map;
import java.util.Objects;

/**
 * A participant that has joined a saga.
 *
 * @param position from 0, in the order of joining
 * @param compensation endpoint URI; null when there is nothing to undo
 * @param completion endpoint URI to call after success; null when there is none
 * @param options values evaluated on joining, sent as message headers to both endpoints
 * @param attempts number of failed compensation attempts
 * @param error message of the last failed attempt; null when there was none
 */
public record SagaStep(
        int position,
        String compensation,
        String completion,
        Map<String, String> options,
        Status status,
        int attempts,
        String error,
        Instant joinedAt) {

    /** The progress of the step. */
    public enum Status {
        JOINED,
        COMPENSATED,
        COMPLETED
    }

    /** Whether both steps have the same endpoints and options: the same step joins again when a saga is resumed. */
    boolean isSame(SagaStep other) {
        return Objects.equals(compensation, other.compensation)
                && Objects.equals(completion, other.completion)
                && options.equals(other.options);
    }
}
