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
 * Takes from a connection to the embedded broker only what a client needs before it has a session: a greeting, a ping, a
 * login. Everything else that the core protocol reads before a login is for brokers among each other: federation, clusters,
 * backups, votes, queues made for a replica. The embedded broker is alone, so nobody has a reason to send that; one such
 * packet had the broker connect to an address of the sender's choice, another made queues without a login.
 *
 * <p>Of what a client sends after its login, the fields that the broker reads unchecked are made safe: {@link SenderFields}.
 *
 * <p>Public and without arguments, for Artemis makes it by its name. Thread-safe.
 */
public final class CorePacketGuard implements Interceptor {
    private static final Logger LOG = LoggerFactory.getLogger(CorePacketGuard.class);
    private static final long TOLD_EVERY_NANOS = TimeUnit.MINUTES.toNanos(1);

    private static final Set<Byte> ON_CONNECTION = Set.of(
            PacketImpl.PING, PacketImpl.DISCONNECT, PacketImpl.SUBSCRIBE_TOPOLOGY, PacketImpl.SUBSCRIBE_TOPOLOGY_V2);

    private static final Set<Byte> BEFORE_A_SESSION = Set.of(
            PacketImpl.CREATESESSION,
            PacketImpl.CREATESESSION_V2,
            PacketImpl.CHECK_FOR_FAILOVER,
            PacketImpl.REATTACH_SESSION);

    private final AtomicLong lastTold = new AtomicLong(System.nanoTime() - TOLD_EVERY_NANOS);

    /** Never throws: Artemis would take that for consent. */
    @Override
    public boolean intercept(Packet packet, RemotingConnection connection) {
        long channel = packet.getChannelID();
        if (channel >= CHANNEL_ID.USER.id) {
            // A session's: there is one only after a login.
            return isReadable(packet, connection);
        }
        boolean expected = channel == CHANNEL_ID.PING.id && ON_CONNECTION.contains(packet.getType())
                || channel == CHANNEL_ID.SESSION.id && BEFORE_A_SESSION.contains(packet.getType());
        if (!expected) {
            refuse(packet, connection, "connection closed: a JMS client sent what only brokers send to each other");
            return false;
        }
        if (packet.getType() == PacketImpl.REATTACH_SESSION) {
            return leaveSession(connection);
        }
        return true;
    }

    /** Has the broker read only fields of a message that it can read; a message that is none ends its connection. */
    private boolean isReadable(Packet packet, RemotingConnection connection) {
        if (!(packet instanceof MessagePacketI sent) || !(sent.getMessage() instanceof ICoreMessage message)) {
            return true;
        }
        try {
            SenderFields.makeSafe(message);
            return true;
        } catch (RuntimeException e) {
            refuse(packet, connection, "connection closed: a JMS client sent a message that cannot be read");
            return false;
        }
    }

    /**
     * A session is taken over by whoever knows its name, and without a login. The client is told that the session is gone
     * and makes a new one, with a login.
     */
    private static boolean leaveSession(RemotingConnection connection) {
        if (connection instanceof CoreRemotingConnection core) {
            core.getChannel(CHANNEL_ID.SESSION.id, -1).send(new ReattachSessionResponseMessage(-1, false));
        }
        return false;
    }

    private void refuse(Packet packet, RemotingConnection connection, String message) {
        long now = System.nanoTime();
        long before = lastTold.get();
        if (now - before >= TOLD_EVERY_NANOS && lastTold.compareAndSet(before, now)) {
            LOG.atWarn()
                    .addKeyValue("from", connection.getRemoteAddress())
                    .addKeyValue("packet", packet.getType())
                    .addKeyValue("channel", packet.getChannelID())
                    .log(message);
        }
        connection.destroy();
    }
}
