package io.caravanserai.jms;

import java.util.HashSet;
import java.util.Set;
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
    private boolean isLogged;
    /** Numbers of the messages that have arrived one at a time. */
    private final Set<Long> received = new HashSet<>();

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

    /**
     * Call when a message has arrived. Artemis also sends the message behind an undeliverable one before each close, so
     * a message that arrives again is no progress.
     */
    void received(long number) {
        lastReceived = System.nanoTime();
        lastActive = lastReceived;
        if (!isSingle() || received.add(number)) {
            closes = 0;
            unavailableReason = null;
        }
        if (isSingle()) {
            singlesLeft--;
        }
    }

    /** Call when the queue has delivered nothing to a consumer without messages in flight. */
    void idle() {
        if (System.nanoTime() - lastActive < IDLE_NANOS) {
            return;
        }
        connectionLost();
    }

    /** Call when the connection is broken: an outage is no reason for another pace. */
    void connectionLost() {
        singlesLeft = 0;
        isLogged = false;
        received.clear();
        closes = 0;
        unavailableReason = null;
    }

    /**
     * Call when the broker has closed the consumer over a working connection; true if the broker does not give up the
     * message by itself.
     */
    boolean closed(String queue) {
        singlesLeft = SINGLE_MESSAGES;
        lastActive = System.nanoTime();
        closes++;
        // The first close may be the beginning of an outage, which the next attempt to connect shows.
        if (closes > 1 && !isLogged) {
            isLogged = true;
            LOG.atWarn()
                    .addKeyValue("receiver", receiver)
                    .addKeyValue("queue", queue)
                    .log("broker cannot deliver a message and closes the consumer; receiving one message at a time");
        }
        if (closes % MAX_CLOSES != 0) {
            return false;
        }
        unavailableReason = "the JMS broker cannot deliver the first message of the queue " + queue
                + " and keeps it: remove the message at the broker, or give the login of the hub the right to manage";
        return true;
    }

    /** Why no messages arrive; null while messages arrive. */
    String unavailableReason() {
        return unavailableReason;
    }
}
