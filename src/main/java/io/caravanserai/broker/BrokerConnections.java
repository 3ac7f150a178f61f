package io.caravanserai.broker;

import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.ActiveMQSecurityException;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.core.server.ServerSession;
import org.apache.activemq.artemis.core.server.plugin.ActiveMQServerPlugin;
import org.apache.activemq.artemis.spi.core.protocol.RemotingConnection;

/** Tells {@link BrokerPermissions} of connections that end, and lets no client take the id of another key. Thread-safe. */
final class BrokerConnections implements ActiveMQServerPlugin {
    private final BrokerPermissions permissions;

    BrokerConnections(BrokerPermissions permissions) {
        this.permissions = permissions;
    }

    @Override
    public void afterDestroyConnection(RemotingConnection connection) {
        permissions.ended(connection.getID());
    }

    /** A client id is there once: whoever has it keeps everybody else of that id out. */
    @Override
    public void beforeSessionMetadataAdded(ServerSession session, String key, String data) throws ActiveMQException {
        if (ClientSession.JMS_SESSION_CLIENT_ID_PROPERTY.equals(key)
                && !permissions.mayBeClient(session.getUsername(), data)) {
            throw new ActiveMQSecurityException("the client id " + data + " is for the key of that name");
        }
    }
}
