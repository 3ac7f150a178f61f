package io.caravanserai.saga;

/**
 * The reason for the compensation of a saga.
 *
 * @param detail readable text; null when there is none
 * @param place id of the route in which a step failed; null when unknown or when no step failed. Not stored
 * @param step name of the failed step, see {@link FailurePlace}; null when unknown. Not stored
 * @param failure the exception of the step, or the last exception that the flow handled; null when there is none. Not
 *     stored
 */
public record Cause(Kind kind, String detail, String place, String step, Throwable failure) {

    /** The origin of the decision. */
    public enum Kind {
        /** A step failed, or the flow ended before its work was done. */
        FAILED,
        /** The deadline passed. */
        TIMED_OUT,
        /** An operator or another authorized caller requested the compensation. */
        CANCELLED
    }

    private static final int MAX_DETAIL_LENGTH = 500;

    public Cause {
        if (detail != null && detail.length() > MAX_DETAIL_LENGTH) {
            detail = detail.substring(0, MAX_DETAIL_LENGTH);
        }
    }

    /** The message of a failure, first line only; the class name when the message is empty. */
    public static String text(Throwable failure) {
        String message = failure.getMessage() == null ? "" : failure.getMessage();
        String line = message.lines().findFirst().orElse("").strip();
        return line.isEmpty() ? failure.getClass().getSimpleName() : line;
    }

    public Cause(Kind kind, String detail) {
        this(kind, detail, null, null, null);
    }
}
