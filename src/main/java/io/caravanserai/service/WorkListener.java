package io.caravanserai.service;

import java.time.Duration;

/**
 * Receives notice of the work of services once the work is durable. Must return quickly and must not throw.
 * Thread-safe.
 */
public interface WorkListener {
    WorkListener NONE = new WorkListener() {};

    /**
     * A service has answered an action.
     * @param step name of the action, for example {@code reserve-items}
     * @param outcome {@code done}, {@code refused}, {@code unavailable} or {@code failed}
     * @param took from the call to the durable outcome
     */
    default void stepEnded(String step, String outcome, Duration took) {}

    /**
     * A service has answered a compensation outside a saga. For compensations of sagas see the saga listener.
     * @param outcome {@code done}, {@code skipped} or {@code failed}
     */
    default void compensationEnded(String compensation, String outcome, Duration took) {}

    /** An attempt of a step or of a compensation failed, and another attempt follows. */
    default void retried(String step) {}
}
