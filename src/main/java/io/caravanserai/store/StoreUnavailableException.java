package io.caravanserai.store;

/** The database could not be written or read: nothing of the unit happened. The message names what to look at. */
public final class StoreUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public StoreUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }

    /** For a unit that was refused before anything was tried; has no stack trace, for there may be many of them. */
    StoreUnavailableException(String message) {
        super(message, null, false, false);
    }
}
