package io.caravanserai.deadletter;

import java.util.Optional;

/** A dead letter cannot be changed; nothing was changed or sent. The message says why, and what can be done instead. */
public final class ChangeRefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String header;

    ChangeRefusedException(String message) {
        this(message, null);
    }

    /** @param header the one that cannot be changed; null when it is the letter */
    ChangeRefusedException(String message, String header) {
        super(message);
        this.header = header;
    }

    /** The header that cannot be changed; empty when the letter cannot. */
    public Optional<String> header() {
        return Optional.ofNullable(header);
    }
}
