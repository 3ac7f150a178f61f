package io.caravanserai.ingress;

import io.caravanserai.order.Order;
import io.caravanserai.order.OrderStyle;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;

/**
 * An order as a sender handed it in.
 *
 * @param body the bytes it was read from
 * @param idempotencyKey under which the sender may repeat it
 * @param traceparent of the sender's trace, as received; what is not valid is left out
 * @param answerWithin how long the sender waits for the order's end; zero when it does not
 */
public record Sending(
        Order order,
        byte[] body,
        OrderStyle style,
        Optional<String> idempotencyKey,
        Optional<String> traceparent,
        Duration answerWithin) {

    /** W3C Trace Context, of a version we know the form of. */
    private static final String TRACEPARENT =
            "(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}";

    public Sending {
        traceparent = traceparent.filter(text -> text.matches(TRACEPARENT));
    }

    /** The same for the same bytes and style, and only for those. */
    String fingerprint() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(style.wire().getBytes(StandardCharsets.US_ASCII));
            digest.update((byte) 0);
            return HexFormat.of().formatHex(digest.digest(body));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
