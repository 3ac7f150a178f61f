package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import java.util.concurrent.TimeUnit;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Detects a queue that holds messages and delivers none to a waiting consumer, whatever the reason. First the consumer
 * reconnects; if that does not help, an embedded broker is restarted. One thread watches; any thread may read the
 * result.
 */
final class DeliveryWatch {
    private static final Logger LOG = LoggerFactory.getLogger(DeliveryWatch.class);

    /**
     * Time without a delivery before the first check. Together with the second check, the {@code ready} check reports a
     * stall within ten seconds.
     */
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** A message that has just arrived is delivered before the second check. */
    private static final long SECOND_CHECK_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final String receiver;
    private final JmsBroker broker;
    private long nextCheck = System.nanoTime() + IDLE_NANOS;
    private boolean isSuspected;
    private int stalls;
    private volatile String unavailableReason;

    DeliveryWatch(String receiver, JmsBroker broker) {
        this.receiver = receiver;
        this.broker = broker;
    }

    /** Why the queue counts as stalled; null while messages are delivered. */
    String unavailableReason() {
        return unavailableReason;
    }

    /** Call when a message has arrived. */
    void delivered() {
        if (unavailableReason != null) {
            LOG.atInfo().addKeyValue("receiver", receiver).log("queue delivers messages again");
        }
        unavailableReason = null;
        stalls = 0;
        notWaiting();
    }

    /** Call when the consumer is not waiting for a message, or is new. */
    void notWaiting() {
        isSuspected = false;
        nextCheck = System.nanoTime() + IDLE_NANOS;
    }

    /**
     * Call when a consumer has waited without a message; true if the consumer must reconnect. Queries the broker at
     * intervals.
     */
    boolean isStalled(ClientSession session, SimpleString queue) throws ActiveMQException {
        if (System.nanoTime() - nextCheck < 0) {
            return false;
        }
        long waiting = broker.deliverable(session, queue);
        if (waiting <= 0) {
            delivered();
            return false;
        }
        if (!isSuspected) {
            isSuspected = true;
            nextCheck = System.nanoTime() + SECOND_CHECK_NANOS;
            return false;
        }
        stalled(queue, waiting);
        return true;
    }

    private void stalled(SimpleString queue, long waiting) {
        stalls++;
        String reason = "the queue " + queue + " holds " + waiting + " messages and delivers none";
        if (unavailableReason == null) {
            LOG.atWarn()
                    .addKeyValue("receiver", receiver)
                    .addKeyValue("queue", queue)
                    .addKeyValue("waiting", waiting)
                    .log("queue holds messages and delivers none; reconnecting");
        }
        unavailableReason = reason;
        if (stalls > 1) {
            broker.restartForStalled(queue, reason + ", even to a new connection");
        }
    }
}
