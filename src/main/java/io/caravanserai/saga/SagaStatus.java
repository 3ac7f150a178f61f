package io.caravanserai.saga;

/** The names of the saga states. {@link SagaState} holds the data and transitions. */
public enum SagaStatus {
    RUNNING,
    COMPENSATING,
    COMPLETED,
    COMPENSATED,
    /** A compensation has no attempts left: a person must act. */
    STUCK;

    /** Whether this status is final. */
    public boolean isEnd() {
        return this == COMPLETED || this == COMPENSATED;
    }
}
