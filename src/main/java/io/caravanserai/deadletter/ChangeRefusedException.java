package io.caravanserai.deadletter;

import java.util.Optional;

/** A dead letter cannot be changed; nothing was changed or sent. The message states the cause and the alternative. */
public final class ChangeRefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String header;

    ChangeRefusedException(String message) {
        this(message, null);
    }

    /** @param header the header that cannot be changed; null when the whole dead letter cannot be changed */
    ChangeRefusedException(String message, String header) {
        super(message);
        this.header = header;
    }

    /** The header that cannot be changed; empty when the whole dead letter cannot be changed. */
    public Optional<String> header() {
        return Optional.ofNullable(header);
    }
}
