package io.caravanserai.saga;

import java.time.Instant;
import java.util.Map;
import java.util.Objects;

/**
 * A participant that has joined a saga.
 *
 * @param position from 0, in the order of joining
 * @param compensation endpoint uri; null when there is nothing to undo
 * @param completion endpoint uri to tell of a good end; null when it need not hear
 * @param options values evaluated when it joined, the headers of the messages to those endpoints
 * @param attempts failed attempts to compensate or complete so far
 * @param error of the last failed attempt; null when there was none
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

    /** What has become of the step. */
    public enum Status {
        JOINED,
        COMPENSATED,
        COMPLETED
    }

    /** Whether joining with what the other has would be the same step again, as when a saga is resumed. */
    boolean isSame(SagaStep other) {
        return Objects.equals(compensation, other.compensation)
                && Objects.equals(completion, other.completion)
                && options.equals(other.options);
    }
}
