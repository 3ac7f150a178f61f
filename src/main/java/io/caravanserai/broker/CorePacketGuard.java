package io.caravanserai.broker;

import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.activemq.artemis.api.core.ICoreMessage;
import org.apache.activemq.artemis.api.core.Interceptor;
import org.apache.activemq.artemis.core.protocol.core.CoreRemotingConnection;
import org.apache.activemq.artemis.core.protocol.core.Packet;
import org.apache.activemq.artemis.core.protocol.core.impl.ChannelImpl.CHANNEL_ID;
import org.apache.activemq.artemis.core.protocol.core.impl.PacketImpl;
import org.apache.activemq.artemis.core.protocol.core.impl.wireformat.MessagePacketI;
import org.apache.activemq.artemis.core.protocol.core.impl.wireformat.ReattachSessionResponseMessage;
import org.apache.activemq.artemis.spi.core.protocol.RemotingConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Admits, on a connection without a session, only the packets that a client needs: greeting, ping and login. All other
 * packets that the core protocol reads before a login are for traffic between brokers: federation, clusters, backups,
 * votes, queues for a replica. The embedded broker stands alone and expects none of these. One of the packets would
 * make the broker connect to an address of the sender's choice; another would create queues without a login.
 *
 * <p>After the login, {@link SenderFields} makes safe the message fields that the broker reads unchecked.
 *
 * <p>Public with a no-argument constructor, because Artemis creates the instance by class name. Thread-safe.
 */
public final class CorePacketGuard implements Interceptor {
    private static final Logger LOG = LoggerFactory.getLogger(CorePacketGuard.class);
    private static final long LOG_INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);

    private static final Set<Byte> ON_CONNECTION = Set.of(
            PacketImpl.PING, PacketImpl.DISCONNECT, PacketImpl.SUBSCRIBE_TOPOLOGY, PacketImpl.SUBSCRIBE_TOPOLOGY_V2);

    private static final Set<Byte> BEFORE_A_SESSION = Set.of(
            PacketImpl.CREATESESSION,
            PacketImpl.CREATESESSION_V2,
            PacketImpl.CHECK_FOR_FAILOVER,
            PacketImpl.REATTACH_SESSION);

    private final AtomicLong lastLogged = new AtomicLong(System.nanoTime() - LOG_INTERVAL_NANOS);

    /** Never throws: Artemis would treat an exception as consent. */
    @Override
    public boolean intercept(Packet packet, RemotingConnection connection) {
        long channel = packet.getChannelID();
        if (channel >= CHANNEL_ID.USER.id) {
            // A session's channel exists only after a login.
            return makeReadable(packet, connection);
        }
        boolean expected = channel == CHANNEL_ID.PING.id && ON_CONNECTION.contains(packet.getType())
                || channel == CHANNEL_ID.SESSION.id && BEFORE_A_SESSION.contains(packet.getType());
        if (!expected) {
            refuse(packet, connection, "JMS client sent a packet reserved for brokers; connection closed");
            return false;
        }
        if (packet.getType() == PacketImpl.REATTACH_SESSION) {
            return refuseReattach(connection);
        }
        return true;
    }

    /** Makes the fields of a message safe to read. An unreadable message closes the connection. */
    private boolean makeReadable(Packet packet, RemotingConnection connection) {
        if (!(packet instanceof MessagePacketI sent) || !(sent.getMessage() instanceof ICoreMessage message)) {
            return true;
        }
        try {
            SenderFields.makeSafe(message);
            return true;
        } catch (RuntimeException e) {
            refuse(packet, connection, "JMS client sent an unreadable message; connection closed");
            return false;
        }
    }

    /**
     * Refuses to reattach a session: Artemis would require the session's name only, and no login. The client learns
     * that the session is gone, and creates a new one with a login.
     */
    private static boolean refuseReattach(RemotingConnection connection) {
        if (connection instanceof CoreRemotingConnection core) {
            core.getChannel(CHANNEL_ID.SESSION.id, -1).send(new ReattachSessionResponseMessage(-1, false));
        }
        return false;
    }

    private void refuse(Packet packet, RemotingConnection connection, String message) {
        long now = System.nanoTime();
        long before = lastLogged.get();
        if (now - before >= LOG_INTERVAL_NANOS && lastLogged.compareAndSet(before, now)) {
            LOG.atWarn()
                    .addKeyValue("from", connection.getRemoteAddress())
                    .addKeyValue("packet", packet.getType())
                    .addKeyValue("channel", packet.getChannelID())
                    .log(message);
        }
        connection.destroy();
    }
}
