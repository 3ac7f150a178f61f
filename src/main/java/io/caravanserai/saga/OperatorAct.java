package io.caravanserai.saga;

import java.util.Locale;

/**
 * An action of a person on a stuck saga.
 *
 * @param who the name of the API key; null when the hub has no keys
 * @param reason the reason as entered; null when absent
 */
public record OperatorAct(Kind kind, String who, String reason) {

    /** The requested action; {@link #toString} returns the name in the public contract. */
    public enum Kind {
        RETRY,
        COMPENSATE,
        RESOLVE;

        @Override
        public String toString() {
            return "saga." + name().toLowerCase(Locale.ROOT);
        }
    }

    /** The person and the reason as readable text; null when both are unknown. */
    public String detail() {
        if (who == null) {
            return reason;
        }
        return reason == null ? "by " + who : "by " + who + ": " + reason;
    }
}
