package io.caravanserai.broker;

import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.ICoreMessage;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ClientConsumer;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientRequestor;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.api.core.management.ManagementHelper;
import org.apache.activemq.artemis.api.core.management.ResourceNames;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts the messages of an external broker's queue that could be delivered now. */
final class WaitingMessages {
    private static final Logger LOG = LoggerFactory.getLogger(WaitingMessages.class);
    private static final String MANAGEMENT = "activemq.management";
    private static final long ANSWER_TIMEOUT_MILLIS = 1_000;

    private WaitingMessages() {}

    /**
     * Messages that a consumer with none in flight could receive now. 1 if a browser sees a message. Otherwise all
     * messages minus scheduled ones and ones in flight at other consumers; 0 if the broker does not report these
     * numbers.
     *
     * @param session of the consumer, started
     */
    static long count(ClientSession session, SimpleString queue) throws ActiveMQException {
        ClientSession.QueueQuery state = session.queueQuery(queue);
        long all = state.getMessageCount();
        if (all == 0) {
            return 0;
        }
        try (ClientConsumer browser = session.createConsumer(queue, true)) {
            if (browser.receive(ANSWER_TIMEOUT_MILLIS) != null) {
                return 1;
            }
        }
        // A queue with a damaged message list shows no message to a browser either.
        try {
            return all - undeliverable(session, queue, state.getConsumerCount() > 1);
        } catch (Exception e) {
            LOG.atDebug()
                    .addKeyValue("queue", queue)
                    .setCause(e)
                    .log("cannot read the message counts of the queue; no stall reported");
            return 0;
        }
    }

    private static long undeliverable(ClientSession session, SimpleString queue, boolean hasOtherConsumers)
            throws Exception {
        ClientRequestor management = new ClientRequestor(session, MANAGEMENT);
        try {
            // A damaged queue counts messages as delivering that no consumer has.
            return attribute(session, management, queue, "scheduledCount")
                    + (hasOtherConsumers ? attribute(session, management, queue, "deliveringCount") : 0);
        } finally {
            management.close();
        }
    }

    private static long attribute(ClientSession session, ClientRequestor management, SimpleString queue, String name)
            throws Exception {
        ClientMessage question = session.createMessage(false);
        ManagementHelper.putAttribute(question, ResourceNames.QUEUE + queue, name);
        ClientMessage answer = management.request(question, ANSWER_TIMEOUT_MILLIS);
        if (answer != null
                && ManagementHelper.hasOperationSucceeded((ICoreMessage) answer)
                && ManagementHelper.getResult((ICoreMessage) answer) instanceof Number number) {
            return number.longValue();
        }
        throw new IllegalStateException("no answer to the management request for " + name);
    }
}
