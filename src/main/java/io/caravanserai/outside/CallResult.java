package io.caravanserai.outside;

import java.time.Duration;
import java.util.Map;

/** What came of a call. */
public sealed interface CallResult {

    /**
     * The service has answered.
     *
     * @param body text, bytes, or null when there is none
     */
    record Answered(Object body, Map<String, Object> headers) implements CallResult {}

    /**
     * Nobody knows whether the service has done it: no answer, a broken one, or one that says so. An attempt is used up.
     *
     * @param retryAfter how long the service wants to be spared; zero when it does not say
     */
    record Failed(String detail, Duration retryAfter) implements CallResult {
        Failed(String detail) {
            this(detail, Duration.ZERO);
        }
    }

    /**
     * The service answered that it will never do this. Trying again does not help.
     *
     * @param byDecision whether it understood the call and decided against it; else the call is wrong
     */
    record Refused(String detail, boolean byDecision) implements CallResult {}

    /**
     * The service has taken the call and has not decided yet: ask again with the same key. No attempt is used up.
     *
     * @param retryAfter how long the service wants to be spared; zero when it does not say
     */
    record Pending(String detail, Duration retryAfter) implements CallResult {}

    /** What carries the call did not take it, so the service has not seen it. No attempt is used up. */
    record NotDelivered(String detail) implements CallResult {}

    /** The order turned back, so nothing was sent. */
    record TurnedBack() implements CallResult {}
}
