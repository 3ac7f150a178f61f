package io.caravanserai.broker;

import org.apache.activemq.artemis.api.core.ActiveMQBuffer;
import org.apache.activemq.artemis.api.core.ICoreMessage;
import org.apache.activemq.artemis.api.core.Interceptor;
import org.apache.activemq.artemis.api.core.Message;
import org.apache.activemq.artemis.core.protocol.core.Packet;
import org.apache.activemq.artemis.core.protocol.core.impl.wireformat.SessionReceiveLargeMessage;
import org.apache.activemq.artemis.core.protocol.core.impl.wireformat.SessionReceiveMessage;
import org.apache.activemq.artemis.spi.core.protocol.RemotingConnection;

/**
 * Keeps bodies away from the JMS client that it chokes on. It reads a body before it hands its message over, so a body
 * that it cannot read, or that the memory does not hold, would never leave its queue, nor would anything behind it.
 * Such a body becomes one of bytes, which is read by whoever wants it; and of kinds that nobody here reads it is left.
 */
final class BodyGuard implements Interceptor {
    /** Whether there is text, and how long it is. */
    private static final int TEXT_HEAD = 1 + Integer.BYTES;

    @Override
    public boolean intercept(Packet packet, RemotingConnection connection) {
        if (packet instanceof SessionReceiveMessage small) {
            tame(small.getMessage(), isReadable(small.getMessage()));
        } else if (packet instanceof SessionReceiveLargeMessage large) {
            tame((ICoreMessage) large.getLargeMessage(), large.getLargeMessageSize() <= JmsBroker.LARGEST_BODY);
        }
        return true;
    }

    private static void tame(ICoreMessage message, boolean readable) {
        switch (message.getType()) {
            case Message.TEXT_TYPE -> {
                if (!readable) {
                    message.setType(Message.BYTES_TYPE);
                }
            }
            case Message.OBJECT_TYPE, Message.MAP_TYPE, Message.STREAM_TYPE -> message.setType(Message.DEFAULT_TYPE);
            default -> {
                // Nothing is read before it is asked for.
            }
        }
    }

    private static boolean isReadable(ICoreMessage message) {
        if (message.getType() != Message.TEXT_TYPE) {
            return true;
        }
        if (message.containsProperty(Message.HDR_LARGE_COMPRESSED)) {
            // A few bytes can stand for very many.
            return message.getLongProperty(Message.HDR_LARGE_BODY_SIZE) <= JmsBroker.LARGEST_BODY;
        }
        ActiveMQBuffer body = message.getReadOnlyBodyBuffer();
        if (body.readableBytes() < TEXT_HEAD) {
            return body.readableBytes() == 1 && body.readByte() == 0;
        }
        boolean isThere = body.readByte() != 0;
        int length = body.readInt();
        return !isThere || length >= 0 && length <= body.readableBytes();
    }
}
