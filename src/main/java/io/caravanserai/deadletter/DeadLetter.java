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
 * @param origin identifies the message and the receiver: channel and message id
 * @param channel name of the component that received the message and can replay the message, such as {@code jms-orders}
 * @param source queue, topic or address of the message
 * @param type event type; empty when the message is not an event or the type is unknown
 * @param reason short code, such as {@code invalid-json}
 * @param error first line of the stack trace, or a sentence that describes the fault
 * @param headers headers of the message, as text
 * @param body null when the message had no body
 * @param base64 whether the body is base64, because the body was not text
 * @param receivedAt time of the failure; for a replayed message, of the latest failure
 * @param replays number of replays, successful or not
 * @param settledAt when a replay succeeded; empty while the dead letter is open
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

    /** Maximum size of a stored body: bytes for a binary body, characters for text. */
    public static final int MAX_BODY = 4 * 1024 * 1024;

    /** Header with size and digest of a body that was too large to store. Ignored when a sender sets the header. */
    public static final String BODY_LEFT_OUT = "body-left-out";

    /** Whether the body was too large to store. A dead letter without the body cannot be replayed. */
    public boolean isBodyLeftOut() {
        return headers.containsKey(BODY_LEFT_OUT);
    }

    /**
     * A message that has just failed.
     *
     * @param origin channel and message id: equal when the same message fails again for the same receiver
     * @param type null when the message is not an event
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
         * A failed message with a binary body.
         *
         * @param bytes null when the message had no body; for a body above {@link #MAX_BODY}, only size and digest are
         *     stored
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
         * A copy without the body, for a body that the receiver has dropped already.
         *
         * @param sizeAndDigest size and digest of the body
         */
        public Failed withBodyLeftOut(String sizeAndDigest) {
            Failed failed = new Failed(origin, channel, source, type, reason, error, headers, null, false);
            failed.headers.put(BODY_LEFT_OUT, LetterText.bounded(sizeAndDigest, 200));
            return failed;
        }

        /** Limits the length of all texts from senders, so that every dead letter can be stored. */
        public Failed {
            headers = LetterText.storable(headers);
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
            if (body != null && !base64 && !LetterText.isStorable(body)) {
                body = Base64.getEncoder().encodeToString(body.getBytes(StandardCharsets.UTF_8));
                base64 = true;
            }
        }
    }

    /** The first line of the exception's text: class and message. */
    public static String firstLine(Throwable error) {
        return String.valueOf(error).lines().findFirst().orElse("");
    }
}
