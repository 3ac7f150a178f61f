package io.caravanserai.broker;

import org.apache.activemq.artemis.api.core.ActiveMQBuffer;
import org.apache.activemq.artemis.api.core.ICoreMessage;
import org.apache.activemq.artemis.api.core.Interceptor;
import org.apache.activemq.artemis.api.core.Message;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.core.client.impl.ClientConsumerImpl;
import org.apache.activemq.artemis.core.protocol.core.Packet;
import org.apache.activemq.artemis.core.protocol.core.impl.wireformat.SessionReceiveLargeMessage;
import org.apache.activemq.artemis.core.protocol.core.impl.wireformat.SessionReceiveMessage;
import org.apache.activemq.artemis.spi.core.protocol.RemotingConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Protects Artemis' client from messages that the client cannot read. The client reads some properties, and for JMS
 * also the type and the body, before handing over a message. An unreadable message would stay in the queue for ever and
 * block all later messages.
 */
final class IncomingGuard implements Interceptor {
    private static final Logger LOG = LoggerFactory.getLogger(IncomingGuard.class);

    /** Size of the text header: a presence flag and the length. */
    private static final int TEXT_HEAD = 1 + Integer.BYTES;

    private final boolean forJms;

    private IncomingGuard(boolean forJms) {
        this.forJms = forJms;
    }

    /** For consumers with Artemis' core API, which reads a body only on request. */
    static IncomingGuard ofCoreMessages() {
        return new IncomingGuard(false);
    }

    /** For consumers with the JMS API: a message with an unknown type or invalid text becomes bytes. */
    static IncomingGuard ofJmsMessages() {
        return new IncomingGuard(true);
    }

    @Override
    public boolean intercept(Packet packet, RemotingConnection connection) {
        try {
            if (packet instanceof SessionReceiveMessage small) {
                removeBrokerProperties(small.getMessage(), small.getDeliveryCount());
                if (forJms) {
                    makeReadable(small.getMessage(), isText(small.getMessage()));
                }
            } else if (packet instanceof SessionReceiveLargeMessage large) {
                ICoreMessage message = (ICoreMessage) large.getLargeMessage();
                removeBrokerProperties(message, large.getDeliveryCount());
                if (forJms) {
                    makeReadable(message, large.getLargeMessageSize() <= JmsBroker.MAX_BODY_BYTES);
                }
            }
        } catch (RuntimeException e) {
            LOG.debug("message not checked before the client reads it", e);
        }
        return true;
    }

    /** Senders may set any property, with any type. */
    private static void removeBrokerProperties(ICoreMessage message, int deliveryCount) {
        SenderFields.boundPriority(message);
        if (deliveryCount > 0 || !isBrokerAnswer(message)) {
            // Marks the broker's answer that a queue is empty.
            message.removeProperty(ClientConsumerImpl.FORCED_DELIVERY_MESSAGE);
        }
        keepOnly(message, Message.HDR_ROUTING_TYPE, Byte.class);
        keepOnly(message, Message.HDR_LARGE_COMPRESSED, Boolean.class);
        keepOnly(message, Message.HDR_LARGE_BODY_SIZE, Long.class);
        if (message.containsProperty(Message.HDR_LARGE_COMPRESSED)
                && !message.containsProperty(Message.HDR_LARGE_BODY_SIZE)) {
            message.removeProperty(Message.HDR_LARGE_COMPRESSED);
        }
    }

    /**
     * The broker's answer carries the mark only. The delivery count is no evidence: a browser gets every message with a
     * count of 0, like the answer.
     */
    private static boolean isBrokerAnswer(ICoreMessage message) {
        return message.getPropertyNames().size() == 1
                && message.getType() == Message.DEFAULT_TYPE
                && !message.isDurable()
                && message.getUserID() == null
                && message.getObjectProperty(ClientConsumerImpl.FORCED_DELIVERY_MESSAGE) instanceof Long;
    }

    private static void keepOnly(ICoreMessage message, SimpleString property, Class<?> type) {
        if (message.containsProperty(property) && !type.isInstance(message.getObjectProperty(property))) {
            message.removeProperty(property);
        }
    }

    private static void makeReadable(ICoreMessage message, boolean isText) {
        switch (message.getType()) {
            case Message.TEXT_TYPE -> {
                if (!isText) {
                    message.setType(Message.BYTES_TYPE);
                }
            }
            case Message.DEFAULT_TYPE, Message.BYTES_TYPE, Message.MAP_TYPE, Message.STREAM_TYPE -> {
                // Types known to JMS.
            }
            // Objects are never read, and the length may be any number.
            case Message.OBJECT_TYPE -> message.setType(Message.DEFAULT_TYPE);
            default -> message.setType(Message.BYTES_TYPE);
        }
    }

    private static boolean isText(ICoreMessage message) {
        if (message.getType() != Message.TEXT_TYPE) {
            return true;
        }
        if (message.containsProperty(Message.HDR_LARGE_COMPRESSED)) {
            // A few compressed bytes can expand to very many.
            return message.getLongProperty(Message.HDR_LARGE_BODY_SIZE) <= JmsBroker.MAX_BODY_BYTES;
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
