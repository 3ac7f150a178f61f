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
 * Keeps from Artemis' client what it chokes on. The client reads some properties, and for JMS the type and the body,
 * before it hands a message over: one that it cannot read would never leave its queue, nor would anything behind it.
 */
final class IncomingGuard implements Interceptor {
    private static final Logger LOG = LoggerFactory.getLogger(IncomingGuard.class);

    /** Whether there is text, and how long it is. */
    private static final int TEXT_HEAD = 1 + Integer.BYTES;

    private final boolean forJms;

    private IncomingGuard(boolean forJms) {
        this.forJms = forJms;
    }

    /** For those who read messages by Artemis' own interface, which reads no body before it is asked for. */
    static IncomingGuard ofCoreMessages() {
        return new IncomingGuard(false);
    }

    /** For those who read messages by JMS: a type that JMS does not know, and text that is none, become bytes. */
    static IncomingGuard ofJmsMessages() {
        return new IncomingGuard(true);
    }

    @Override
    public boolean intercept(Packet packet, RemotingConnection connection) {
        try {
            if (packet instanceof SessionReceiveMessage small) {
                removeWhatOnlyTheBrokerMaySay(small.getMessage(), small.getDeliveryCount());
                if (forJms) {
                    makeReadable(small.getMessage(), isText(small.getMessage()));
                }
            } else if (packet instanceof SessionReceiveLargeMessage large) {
                ICoreMessage message = (ICoreMessage) large.getLargeMessage();
                removeWhatOnlyTheBrokerMaySay(message, large.getDeliveryCount());
                if (forJms) {
                    makeReadable(message, large.getLargeMessageSize() <= JmsBroker.LARGEST_BODY);
                }
            }
        } catch (RuntimeException e) {
            LOG.debug("a message could not be looked at before the client reads it", e);
        }
        return true;
    }

    /** Senders may set any property, of any type. */
    private static void removeWhatOnlyTheBrokerMaySay(ICoreMessage message, int deliveryCount) {
        SenderFields.boundPriority(message);
        if (deliveryCount > 0 || !isAnswerOfTheBroker(message)) {
            // The mark of the broker's answer that a queue is empty.
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

    /** That answer has nothing but its mark. To those who browse, all messages come as delivered no time, as it does. */
    private static boolean isAnswerOfTheBroker(ICoreMessage message) {
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
                // As JMS knows them.
            }
            // Objects are never read, and their length may be any number.
            case Message.OBJECT_TYPE -> message.setType(Message.DEFAULT_TYPE);
            default -> message.setType(Message.BYTES_TYPE);
        }
    }

    private static boolean isText(ICoreMessage message) {
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
