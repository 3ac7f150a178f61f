package io.caravanserai.service;

import java.time.Duration;

/** Hears what the services do for orders, once that is durable. Must be quick and must not throw. Thread-safe. */
public interface WorkListener {
    WorkListener NONE = new WorkListener() {};

    /**
     * A service has answered an action.
     *
     * @param step its name, such as {@code reserve-items}
     * @param outcome {@code done}, {@code refused}, {@code unavailable} or {@code failed}
     * @param took from the call to the durable outcome
     */
    default void stepEnded(String step, String outcome, Duration took) {}

    /**
     * A service has answered a compensation that no saga calls; sagas tell of theirs.
     *
     * @param outcome {@code done}, {@code skipped} or {@code failed}
     */
    default void compensationEnded(String compensation, String outcome, Duration took) {}

    /** An attempt of a step or of a compensation failed, and another one follows. */
    default void retried(String step) {}
}
