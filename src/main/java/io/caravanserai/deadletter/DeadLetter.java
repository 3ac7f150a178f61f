package io.caravanserai.deadletter;

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

        /** Bounds what senders have said, so that the letter can be kept whatever it is. */
        public Failed {
            origin = LetterText.bounded(origin, 700);
            source = LetterText.bounded(source, 300);
            type = LetterText.bounded(type, 255);
            reason = LetterText.bounded(reason, 100);
            error = LetterText.bounded(error, 2_000);
            headers = LetterText.carriable(headers);
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
