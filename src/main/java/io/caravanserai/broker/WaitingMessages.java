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

/** Counts the messages of a queue at an outside broker that could be delivered now. */
final class WaitingMessages {
    private static final Logger LOG = LoggerFactory.getLogger(WaitingMessages.class);
    private static final String MANAGEMENT = "activemq.management";
    private static final long ANSWER_MILLIS = 1_000;

    private WaitingMessages() {}

    /**
     * Messages for a consumer that has none in its hands at present. Without the right to ask how many are scheduled for
     * later or in other hands, 1 when a browser sees a message and else 0.
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
            if (browser.receive(ANSWER_MILLIS) != null) {
                return 1;
            }
        }
        // A queue whose list of messages is damaged shows none to a browser either.
        try {
            return all - notForNow(session, queue, state.getConsumerCount() > 1);
        } catch (Exception e) {
            LOG.atDebug().addKeyValue("queue", queue).setCause(e).log("the broker does not tell what is in a queue");
            return 0;
        }
    }

    private static long notForNow(ClientSession session, SimpleString queue, boolean hasOtherConsumers)
            throws Exception {
        ClientRequestor management = new ClientRequestor(session, MANAGEMENT);
        try {
            // A damaged queue counts messages as delivered that nobody has.
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
        ClientMessage answer = management.request(question, ANSWER_MILLIS);
        if (answer != null
                && ManagementHelper.hasOperationSucceeded((ICoreMessage) answer)
                && ManagementHelper.getResult((ICoreMessage) answer) instanceof Number number) {
            return number.longValue();
        }
        throw new IllegalStateException("no answer about " + name);
    }
}
