package io.caravanserai.event;

/** A message is not a valid event; a retry cannot succeed. */
public final class InvalidEventException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String reason;

    /**
     * @param reason short code: {@code unknown-type}, {@code unknown-version}, {@code invalid-event}
     * @param message description for people
     */
    public InvalidEventException(String reason, String message) {
        super(message);
        this.reason = reason;
    }

    public String reason() {
        return reason;
    }
}
