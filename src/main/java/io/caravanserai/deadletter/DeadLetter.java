package io.caravanserai.deadletter;

import io.caravanserai.support.Utf8;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/**
 * A message that could not be handled.
 *
 * @param channel what brought it and can replay it, such as {@code jms-orders}
 * @param source queue, topic or address it came from
 * @param type of the event it was; empty when it was none, or not to be told
 * @param reason in a word, such as {@code invalid-json}
 * @param error first line of the stack trace, or what is wrong in a sentence
 * @param headers of the message, as text
 * @param body null when the message had none
 * @param base64 whether the body is base64, because it was not text
 * @param receivedAt when it failed, for the last time if it was replayed
 * @param replays how often it has been replayed, well or not
 * @param settledAt when a replay was handled well; empty while it waits for somebody
 */
public record DeadLetter(
        String id,
        String origin,
        String channel,
        String source,
        Optional<String> type,
        String reason,
        String error,
        Instant receivedAt,
        Map<String, String> headers,
        String body,
        boolean base64,
        int replays,
        Optional<Instant> settledAt) {

    /** The largest body that is kept, in bytes; in characters when it came as text. */
    public static final int MAX_BODY = 4 * 1024 * 1024;

    /** The header that tells of a body too large to be kept: its size and its digest. Not taken from senders. */
    public static final String BODY_LEFT_OUT = "body-left-out";

    /** Whether the message had a body that was not kept: it cannot be replayed. */
    public boolean isBodyLeftOut() {
        return headers.containsKey(BODY_LEFT_OUT);
    }

    /**
     * A message that has just failed.
     *
     * @param origin the same when the same message fails again for the same receiver: channel and message id
     * @param type null when it is no event
     */
    public record Failed(
            String origin,
            String channel,
            String source,
            String type,
            String reason,
            String error,
            Map<String, String> headers,
            String body,
            boolean base64) {

        /**
         * A message whose body came as bytes.
         *
         * @param bytes null when the message had none; a body above {@link #MAX_BODY} is not kept, its size and digest are
         */
        public static Failed of(
                String origin,
                String channel,
                String source,
                String reason,
                String error,
                Map<String, String> headers,
                byte[] bytes) {
            if (bytes != null && bytes.length > MAX_BODY) {
                Failed failed = new Failed(origin, channel, source, null, reason, error, headers, null, false);
                failed.headers.put(BODY_LEFT_OUT, LetterText.leftOut(bytes.length + " bytes", bytes));
                return failed;
            }
            Optional<String> text = Utf8.text(bytes);
            boolean base64 = bytes != null && text.isEmpty();
            String body = base64 ? Base64.getEncoder().encodeToString(bytes) : text.orElse(null);
            return new Failed(origin, channel, source, null, reason, error, headers, body, base64);
        }

        /**
         * The same for a message whose body was left out by whoever brought it.
         *
         * @param what its size and its digest
         */
        public Failed withBodyLeftOut(String what) {
            Failed failed = new Failed(origin, channel, source, type, reason, error, headers, null, false);
            failed.headers.put(BODY_LEFT_OUT, LetterText.bounded(what, 200));
            return failed;
        }

        /** Bounds what senders have said, so that the letter can be kept whatever it is. */
        public Failed {
            headers = LetterText.carriable(headers);
            if (body != null && body.length() > (base64 ? MAX_BODY / 3 * 4 + 4 : MAX_BODY)) {
                headers.put(
                        BODY_LEFT_OUT,
                        LetterText.leftOut(
                                body.length() + (base64 ? " characters of base64" : " characters"),
                                body.getBytes(StandardCharsets.UTF_8)));
                body = null;
                base64 = false;
            }
            origin = LetterText.bounded(origin, 700);
            source = LetterText.bounded(source, 300);
            type = LetterText.bounded(type, 255);
            reason = LetterText.bounded(reason, 100);
            error = LetterText.bounded(error, 2_000);
            if (body != null && !base64 && !LetterText.isCarriable(body)) {
                body = Base64.getEncoder().encodeToString(body.getBytes(StandardCharsets.UTF_8));
                base64 = true;
            }
        }
    }

    /** What tells of an exception in one line. */
    public static String firstLine(Throwable error) {
        return String.valueOf(error).lines().findFirst().orElse("");
    }
}
