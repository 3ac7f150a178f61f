package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import java.util.concurrent.TimeUnit;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices a queue that holds messages and delivers none to a consumer that waits for them, whatever the reason. First the
 * consumer connects anew; when that does not help, an embedded broker is started again. One thread watches; any may ask.
 */
final class DeliveryWatch {
    private static final Logger LOG = LoggerFactory.getLogger(DeliveryWatch.class);

    /** So long nothing must have come; with the second look, `ready` knows within ten seconds. */
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** A message that has just arrived is on its way by the second look. */
    private static final long SECOND_LOOK_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final String receiver;
    private final JmsBroker broker;
    private long nextLook = System.nanoTime() + IDLE_NANOS;
    private boolean isSuspected;
    private int stalls;
    private volatile String trouble;

    DeliveryWatch(String receiver, JmsBroker broker) {
        this.receiver = receiver;
        this.broker = broker;
    }

    /** That the queue delivers nothing although it could; null while all is well. */
    String unavailableReason() {
        return trouble;
    }

    /** To be called when a message has come. */
    void delivered() {
        if (trouble != null) {
            LOG.atInfo().addKeyValue("receiver", receiver).log("queue delivers messages again");
        }
        trouble = null;
        stalls = 0;
        notWaiting();
    }

    /** To be called when no message is waited for at present, or the consumer is a new one. */
    void notWaiting() {
        isSuspected = false;
        nextLook = System.nanoTime() + IDLE_NANOS;
    }

    /** To be called when a consumer has waited in vain; true when it is to connect anew. Asks the broker now and then. */
    boolean isStalled(ClientSession session, SimpleString queue) throws ActiveMQException {
        if (System.nanoTime() - nextLook < 0) {
            return false;
        }
        long waiting = broker.deliverable(session, queue);
        if (waiting <= 0) {
            delivered();
            return false;
        }
        if (!isSuspected) {
            isSuspected = true;
            nextLook = System.nanoTime() + SECOND_LOOK_NANOS;
            return false;
        }
        stalled(queue, waiting);
        return true;
    }

    private void stalled(SimpleString queue, long waiting) {
        stalls++;
        String reason = "the queue " + queue + " holds " + waiting + " messages and delivers none";
        if (trouble == null) {
            LOG.atWarn()
                    .addKeyValue("receiver", receiver)
                    .addKeyValue("queue", queue)
                    .addKeyValue("waiting", waiting)
                    .log("queue holds messages and delivers none; connecting anew");
        }
        trouble = reason;
        if (stalls > 1) {
            broker.restartForStalled(queue, reason + ", also to a new connection");
        }
    }
}
