package io.caravanserai.saga;

/**
 * Why a saga is compensated.
 *
 * @param detail for people; null when there is nothing to add
 * @param place the route in which a step failed; null when that is not known, or was not a failure of a step. Not stored
 * @param step the step that failed, as {@link FailurePlace} has it; null when it is not known. Not stored
 * @param failure what a step failed with, or what the flow has handled; null when there is none. Not stored
 */
public record Cause(Kind kind, String detail, String place, String step, Throwable failure) {

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

    /** What a step failed with, in one line. */
    public static String text(Throwable failure) {
        String message = failure.getMessage() == null ? "" : failure.getMessage();
        String line = message.lines().findFirst().orElse("").strip();
        return line.isEmpty() ? failure.getClass().getSimpleName() : line;
    }

    public Cause(Kind kind, String detail) {
        this(kind, detail, null, null, null);
    }
}
