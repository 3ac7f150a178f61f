package io.caravanserai.outside;

import java.time.Duration;
import java.util.Map;

/** The result of a call. */
public sealed interface CallResult {

    /**
     * The service has answered.
     * @param body text or bytes; null without a body
     */
    record Answered(Object body, Map<String, Object> headers) implements CallResult {}

    /**
     * The result is unknown: no answer, an incomplete answer, or an answer that reports a transient failure. Uses up an
     * attempt.
     * @param retryAfter minimum delay that the service asks for; zero when the service asks for none
     */
    record Failed(String detail, Duration retryAfter) implements CallResult {
        Failed(String detail) {
            this(detail, Duration.ZERO);
        }
    }

    /**
     * The service refuses finally. A retry does not help.
     * @param byDecision true when the service understood and declined the call; false when the call itself is invalid
     */
    record Refused(String detail, boolean byDecision) implements CallResult {}

    /**
     * The service has accepted the call and has not decided yet: repeat the call later with the same key. Uses up no
     * attempt.
     * @param retryAfter minimum delay that the service asks for; zero when the service asks for none
     */
    record Pending(String detail, Duration retryAfter) implements CallResult {}

    /** The broker did not accept the message, so the service has not received the call. Uses up no attempt. */
    record NotDelivered(String detail) implements CallResult {}

    /** The order is being cancelled, so nothing was sent. */
    record TurnedBack() implements CallResult {}
}
