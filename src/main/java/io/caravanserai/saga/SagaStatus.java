package io.caravanserai.saga;

/** The states of a saga by name; {@link SagaState} has them with their data and transitions. */
public enum SagaStatus {
    RUNNING,
    COMPENSATING,
    COMPLETED,
    COMPENSATED,
    /** A compensation gave up: a person must act. */
    STUCK;

    /** Whether nothing more happens to a saga in this status. */
    public boolean isEnd() {
        return this == COMPLETED || this == COMPENSATED;
    }
}
