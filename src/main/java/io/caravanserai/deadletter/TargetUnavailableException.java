package io.caravanserai.deadletter;

/** What is to take a letter cannot be reached at present: its replay was not tried, or nothing was heard of it. */
public final class TargetUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param cause null when it was known before anything was tried */
    public TargetUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
