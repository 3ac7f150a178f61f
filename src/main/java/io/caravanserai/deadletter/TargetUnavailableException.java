package io.caravanserai.deadletter;

/** The target of a replay is unreachable: the replay was not tried, or the result is unknown. */
public final class TargetUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param cause null when the outage was known before the attempt */
    public TargetUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
