package io.caravanserai.jms;

import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import java.util.Optional;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.jms.client.ActiveMQDestination;
import org.apache.activemq.artemis.jms.client.ActiveMQSession;
import org.apache.activemq.artemis.jms.client.JMSExceptionHelper;
import org.messaginghub.pooled.jms.JmsPoolSession;

/** Queues and topics that exist as long as the connection that created the destination. */
final class TemporaryDestinations {
    private TemporaryDestinations() {}

    /**
     * Whether a temporary destination has ended with the connection; false for other destinations. Queries the broker
     * and waits for the answer. In place of a missing destination, Artemis' client would create a new one without a
     * consumer.
     */
    static boolean isGone(Session session, Destination destination) throws JMSException {
        Optional<ClientSession> core = core(session);
        if (core.isEmpty() || !(destination instanceof ActiveMQDestination artemis) || !artemis.isTemporary()) {
            return false;
        }
        try {
            boolean isThere =
                    core.get().addressQuery(artemis.getSimpleAddress()).isExists();
            // Saves two more queries by Artemis' client.
            artemis.setCreated(isThere);
            return !isThere;
        } catch (ActiveMQException e) {
            throw JMSExceptionHelper.convertFromActiveMQException(e);
        }
    }

    /** Artemis' core session behind a session, pooled or not; empty for another broker's session. */
    static Optional<ClientSession> core(Session session) throws JMSException {
        Session inner = session instanceof JmsPoolSession pooled ? pooled.getInternalSession() : session;
        return inner instanceof ActiveMQSession artemis ? Optional.of(artemis.getCoreSession()) : Optional.empty();
    }
}
