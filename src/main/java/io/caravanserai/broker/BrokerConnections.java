package io.caravanserai.broker;

import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.ActiveMQSecurityException;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.core.server.ServerSession;
import org.apache.activemq.artemis.core.server.plugin.ActiveMQServerPlugin;
import org.apache.activemq.artemis.spi.core.protocol.RemotingConnection;

/**
 * Reports ended connections to {@link BrokerPermissions}, and reserves each key's name as a client id for that key.
 * Thread-safe.
 */
final class BrokerConnections implements ActiveMQServerPlugin {
    private final BrokerPermissions permissions;

    BrokerConnections(BrokerPermissions permissions) {
        this.permissions = permissions;
    }

    @Override
    public void afterDestroyConnection(RemotingConnection connection) {
        permissions.connectionEnded(connection.getID());
    }

    /** Artemis admits each client id once: a foreign login with a key's name as client id would lock that key out. */
    @Override
    public void beforeSessionMetadataAdded(ServerSession session, String key, String data) throws ActiveMQException {
        if (ClientSession.JMS_SESSION_CLIENT_ID_PROPERTY.equals(key)
                && !permissions.mayBeClient(session.getUsername(), data)) {
            throw new ActiveMQSecurityException(
                    "the client id " + data + " is reserved for the API key of that name; set another client id");
        }
    }
}
