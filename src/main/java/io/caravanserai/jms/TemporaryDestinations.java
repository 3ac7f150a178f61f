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

/** Queues and topics that are there as long as the connection that made them. */
final class TemporaryDestinations {
    private TemporaryDestinations() {}

    /**
     * Whether a destination went with its connection. Asks the broker, and waits for the answer; false for one that is not
     * temporary. In the place of one that is gone, Artemis' client would make another, which nobody can listen to.
     */
    static boolean isGone(Session session, Destination destination) throws JMSException {
        Optional<ClientSession> core = core(session);
        if (core.isEmpty() || !(destination instanceof ActiveMQDestination artemis) || !artemis.isTemporary()) {
            return false;
        }
        try {
            boolean isThere =
                    core.get().addressQuery(artemis.getSimpleAddress()).isExists();
            // Or Artemis' client would ask twice more.
            artemis.setCreated(isThere);
            return !isThere;
        } catch (ActiveMQException e) {
            throw JMSExceptionHelper.convertFromActiveMQException(e);
        }
    }

    /** Artemis' own session behind a session, pooled or not; empty when it is of another broker. */
    static Optional<ClientSession> core(Session session) throws JMSException {
        Session inner = session instanceof JmsPoolSession pooled ? pooled.getInternalSession() : session;
        return inner instanceof ActiveMQSession artemis ? Optional.of(artemis.getCoreSession()) : Optional.empty();
    }
}
