package io.caravanserai.saga;

import java.util.Locale;

/**
 * What a person does with a stuck saga.
 *
 * @param who the name of the person's API key; null when the hub has no keys
 * @param reason in the person's words; null when none was given
 */
public record OperatorAct(Kind kind, String who, String reason) {

    /** What is asked for; {@link #toString} gives the name in the public contract. */
    public enum Kind {
        RETRY,
        COMPENSATE,
        RESOLVE;

        @Override
        public String toString() {
            return "saga." + name().toLowerCase(Locale.ROOT);
        }
    }

    /** Who acted and why, for people; null when neither is known. */
    public String detail() {
        if (who == null) {
            return reason;
        }
        return reason == null ? "by " + who : "by " + who + ": " + reason;
    }
}
