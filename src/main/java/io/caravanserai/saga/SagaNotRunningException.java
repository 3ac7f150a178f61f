package io.caravanserai.saga;

/** A step wanted to join, or the flow to complete, a saga that is being compensated or has ended. */
public final class SagaNotRunningException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param status that the saga has instead */
    public SagaNotRunningException(String sagaId, SagaStatus status) {
        super("saga " + sagaId + " is " + status, null, false, false);
    }
}
