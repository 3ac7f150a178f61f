package io.caravanserai.saga;

/** A step cannot join, or the flow cannot complete, a saga that is being compensated or has ended. */
public final class SagaNotRunningException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param status the actual status of the saga */
    public SagaNotRunningException(String sagaId, SagaStatus status) {
        super("saga " + sagaId + " is " + status, null, false, false);
    }
}
