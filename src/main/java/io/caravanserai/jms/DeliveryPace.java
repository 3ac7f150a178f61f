package io.caravanserai.jms;

import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides how many messages a receiver requests at once. A broker that cannot convert a message to the core protocol,
 * such as an AMQP map that contains a list, closes the consumer, and counts a failed delivery for every message in
 * flight to that consumer. After a few of these closes, the broker would give up sound messages. Therefore the receiver
 * then requests one message at a time, until the queue is empty or many messages have arrived. One thread decides; any
 * thread may read the result.
 */
final class DeliveryPace {
    private static final Logger LOG = LoggerFactory.getLogger(DeliveryPace.class);

    /** About as many messages as a broker sends ahead. */
    private static final int SINGLE_MESSAGES = 1_000;

    /** A message that takes longer does not hold up the next message. */
    private static final long MAX_HOLD_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** A queue that delivers nothing for this long is empty. A busy broker may need long for one message. */
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** More closes than the delivery attempts that brokers usually permit. */
    private static final int MAX_CLOSES = 12;

    private final String receiver;
    private int singlesLeft;
    private int closes;
    private long lastReceived;
    private long lastActive;
    private volatile String unavailableReason;

    DeliveryPace(String receiver) {
        this.receiver = receiver;
    }

    /** Whether the broker must not send messages ahead. */
    boolean isSingle() {
        return singlesLeft > 0;
    }

    /** Whether the next message may be requested, as far as the pace decides. */
    boolean mayReceive(int inFlight) {
        return !isSingle() || inFlight == 0 || System.nanoTime() - lastReceived > MAX_HOLD_NANOS;
    }

    /** Call when a message has arrived. */
    void received() {
        lastReceived = System.nanoTime();
        lastActive = lastReceived;
        if (isSingle()) {
            singlesLeft--;
        }
    }

    /** Call when messages have been acknowledged: the broker delivers more than an undeliverable message's successor. */
    void acknowledged() {
        closes = 0;
        unavailableReason = null;
    }

    /** Call when the queue has delivered nothing to a consumer without messages in flight. */
    void idle() {
        if (System.nanoTime() - lastActive < IDLE_NANOS) {
            return;
        }
        singlesLeft = 0;
        acknowledged();
    }

    /**
     * Call when the broker has closed the consumer over a working connection; true if the broker does not give up the
     * message by itself.
     */
    boolean closed(String queue) {
        if (!isSingle()) {
            LOG.atWarn()
                    .addKeyValue("receiver", receiver)
                    .addKeyValue("queue", queue)
                    .log("broker cannot deliver a message and closed the consumer; receiving one message at a time");
        }
        singlesLeft = SINGLE_MESSAGES;
        lastActive = System.nanoTime();
        closes++;
        if (closes < MAX_CLOSES) {
            return false;
        }
        unavailableReason = "the JMS broker cannot deliver the first message of the queue " + queue
                + " and keeps it: remove the message at the broker, or set max-delivery-attempts there";
        return true;
    }

    /** Why no messages arrive; null while messages arrive. */
    String unavailableReason() {
        return unavailableReason;
    }
}
