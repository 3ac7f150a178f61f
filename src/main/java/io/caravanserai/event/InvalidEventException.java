package io.caravanserai.event;

/** A message is no event this hub can read; trying again would not help. */
public final class InvalidEventException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String reason;

    /**
     * @param reason in a word: {@code unknown-type}, {@code unknown-version}, {@code invalid-event}
     * @param message what is wrong, for a person
     */
    public InvalidEventException(String reason, String message) {
        super(message);
        this.reason = reason;
    }

    public String reason() {
        return reason;
    }
}
