package io.caravanserai.process;

import io.caravanserai.order.Order;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.support.Digests;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/**
 * An order as a sender handed it in.
 *
 * @param body the bytes it was read from
 * @param idempotencyKey under which the sender may repeat it
 * @param message which message brought an order that names neither itself nor a key; empty for all others
 * @param traceparent of the sender's trace, as received; what is not valid is left out
 * @param ingress by which it came: rest, jms or kafka
 * @param answerWithin how long the sender waits for the order's end; zero when it does not
 */
public record SubmitOrder(
        Order order,
        byte[] body,
        OrderStyle style,
        Optional<String> idempotencyKey,
        Optional<MessageName> message,
        Optional<String> traceparent,
        Duration answerWithin,
        String ingress) {

    private static final int LONGEST_TRACEPARENT = 55;

    /** W3C Trace Context, of a version we know the form of. */
    private static final String TRACEPARENT =
            "(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}";

    public SubmitOrder {
        traceparent = traceparent.filter(text -> text.length() <= LONGEST_TRACEPARENT && text.matches(TRACEPARENT));
    }

    /** The same for the same bytes and style, and only for those. */
    public String fingerprint() {
        return Digests.sha256(style.wire().getBytes(StandardCharsets.US_ASCII), new byte[] {0}, body);
    }

    /** The same for the same bytes, whatever the style: a message may name none, and the usual one may change. */
    String bodyFingerprint() {
        return Digests.sha256(body);
    }
}
