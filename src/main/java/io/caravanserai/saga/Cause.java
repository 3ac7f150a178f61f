package io.caravanserai.saga;

/**
 * Why a saga is compensated.
 *
 * @param detail for people; null when there is nothing to add
 */
public record Cause(Kind kind, String detail) {

    /** Where the decision came from. */
    public enum Kind {
        /** A step failed, or the flow ended before its work was done. */
        FAILED,
        /** The deadline passed. */
        TIMED_OUT,
        /** An operator, or whoever may, asked for it. */
        CANCELLED
    }

    private static final int LONGEST_DETAIL = 500;

    public Cause {
        if (detail != null && detail.length() > LONGEST_DETAIL) {
            detail = detail.substring(0, LONGEST_DETAIL);
        }
    }
}
