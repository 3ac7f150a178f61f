package io.caravanserai.process;

import io.caravanserai.order.Order;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.support.Digests;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/**
 * An order as submitted by the sender.
 * @param body the bytes of the order as received
 * @param idempotencyKey key under which the sender may repeat the request
 * @param message name of the message, for an order without an order id and a key; empty otherwise
 * @param traceparent trace context of the sender, as received; an invalid value is dropped
 * @param ingress rest, jms or kafka
 * @param answerWithin how long the sender waits for the end of the order; zero for no wait
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

    /** W3C Trace Context, any version that keeps the layout of version 00. */
    private static final String TRACEPARENT =
            "(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}";

    public SubmitOrder {
        traceparent = traceparent.filter(text -> text.length() <= LONGEST_TRACEPARENT && text.matches(TRACEPARENT));
    }

    /** Returns the digest of the style and the body. */
    public String fingerprint() {
        return Digests.sha256(style.wire().getBytes(StandardCharsets.US_ASCII), new byte[] {0}, body);
    }

    /** Returns the digest of the body alone: a message may omit the style, and the default style may change. */
    String bodyFingerprint() {
        return Digests.sha256(body);
    }
}
