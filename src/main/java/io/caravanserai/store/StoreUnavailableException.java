package io.caravanserai.store;

/** The database could not be written or read, and the unit has no effect. The message names the part to check. */
public final class StoreUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public StoreUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }

    /** For a unit that was refused before execution. Without stack trace, because many units may be refused. */
    StoreUnavailableException(String message) {
        super(message, null, false, false);
    }
}
