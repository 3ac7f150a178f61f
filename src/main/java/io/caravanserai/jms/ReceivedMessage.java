package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.support.Digests;
import io.caravanserai.support.Utf8;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.apache.activemq.artemis.api.core.ActiveMQBuffer;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.Message;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.core.client.impl.ClientLargeMessageInternal;
import org.apache.activemq.artemis.reader.MessageUtil;
import org.apache.activemq.artemis.utils.UUID;

/**
 * A message as delivered by the broker, whatever the sender's protocol. Read part by part through Artemis' core API: an
 * unreadable part is left out and the rest is present.
 *
 * @param headers all properties, and the standard headers that distinguish messages, as text
 * @param body text as UTF-8, or the bytes as received; null if absent or not read
 * @param isTooLarge whether the body exceeds {@link JmsBroker#MAX_BODY_BYTES}, and was not read
 * @param fault why no consumer can handle the message, such as an unreadable body; empty for most messages
 */
public record ReceivedMessage(Map<String, String> headers, byte[] body, boolean isTooLarge, Optional<String> fault) {
    /** Header with the message's id at the broker, the same at every delivery. */
    public static final String ID = "JMSMessageID";

    /** Header with a correlation id that the sender gave as bytes, in base64. */
    public static final String CORRELATION_BYTES = "JMSCorrelationIDAsBytes";

    /** Property with the id from an AMQP sender, in the form that becomes an AMQP correlation id again. */
    static final String AMQP_ID = "NATIVE_MESSAGE_ID";

    /** An AMQP id of this type is also the message's id at the broker. */
    private static final String AMQP_UUID = "ID:AMQP_UUID:";

    /** Property with the id from an OpenWire sender's client. */
    private static final String OPENWIRE_ID = "__HDR_MESSAGE_ID";

    /** Header with the message's number at the broker. A message that the sender sends again has another number. */
    static final String NUMBER = "JMSXBrokerMessageNumber";

    private static final int MAX_ID_LENGTH = 200;
    private static final int MAX_VALUE_LENGTH = 100_000;
    private static final int MAX_HEADERS = 1_000;

    /** Reads a message. Throws nothing but errors of the Java machine. */
    static ReceivedMessage of(ClientMessage message) {
        Map<String, String> headers = headers(message);
        try {
            return switch (message.getType()) {
                case Message.TEXT_TYPE -> text(message, headers);
                case Message.BYTES_TYPE -> new ReceivedMessage(headers, bytes(message), false, Optional.empty());
                case Message.DEFAULT_TYPE -> {
                    byte[] body = bytes(message);
                    yield new ReceivedMessage(headers, body.length == 0 ? null : body, false, Optional.empty());
                }
                // The bodies of these types are never read: an object may be anything, and maps and streams are no
                // orders.
                case Message.OBJECT_TYPE, Message.MAP_TYPE, Message.STREAM_TYPE ->
                    new ReceivedMessage(headers, null, false, Optional.empty());
                default ->
                    new ReceivedMessage(
                            headers,
                            bytes(message),
                            false,
                            Optional.of("the message has the type " + message.getType() + ", which is unknown to JMS"));
            };
        } catch (TooLargeException e) {
            return new ReceivedMessage(headers, null, true, Optional.empty());
        } catch (ActiveMQException | RuntimeException e) {
            return new ReceivedMessage(headers, null, false, Optional.of("the body cannot be read: " + e));
        }
    }

    private static final class TooLargeException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        TooLargeException() {
            super("the body is too large", null, false, false);
        }
    }

    /** The message's id at the broker, the same at every delivery. */
    public String id() {
        return headers.get(ID);
    }

    /**
     * The id with a digest of the body: a sender may give one id to several messages, and none of these may be lost.
     */
    public static String idAndDigest(Map<String, String> headers, byte[] body) {
        String id = headers.get(ID);
        String bounded = id.length() <= MAX_ID_LENGTH ? id : id.substring(0, MAX_ID_LENGTH);
        return bounded
                + '#'
                + Digests.shortSha256(id.getBytes(StandardCharsets.UTF_8), body == null ? new byte[0] : body);
    }

    /**
     * A key of the message: the same at every delivery, from every queue, and another when the sender sends the message
     * again.
     */
    public static String delivered(Map<String, String> headers) {
        String number = headers.get(NUMBER);
        return number == null ? headers.get(ID) : headers.get(ID) + '#' + number;
    }

    String idAndDigest() {
        return idAndDigest(headers, body);
    }

    /** The sender's id for the message, if the protocol has one; otherwise the id at the broker. */
    public static String senderId(Map<String, String> headers) {
        String amqp = headers.get(AMQP_ID);
        String openWire = headers.getOrDefault(OPENWIRE_ID, headers.get(ID));
        return amqp == null ? openWire : amqp;
    }

    private static ReceivedMessage text(ClientMessage message, Map<String, String> headers) throws ActiveMQException {
        byte[] coded = bytes(message);
        Optional<String> text = decoded(coded);
        if (text.isPresent()) {
            return new ReceivedMessage(headers, text.get().getBytes(StandardCharsets.UTF_8), false, Optional.empty());
        }
        boolean none = coded.length > 0 && coded[0] == 0;
        return none
                ? new ReceivedMessage(headers, null, false, Optional.empty())
                : new ReceivedMessage(headers, coded, false, Optional.of("the text of the message cannot be read"));
    }

    /** Decodes Artemis' text format: a presence flag, the length, and two bytes for each character. */
    private static Optional<String> decoded(byte[] coded) {
        int head = 1 + Integer.BYTES;
        if (coded.length < head || coded[0] == 0) {
            return Optional.empty();
        }
        int length = java.nio.ByteBuffer.wrap(coded, 1, Integer.BYTES).getInt();
        return length < 0 || length > coded.length - head
                ? Optional.empty()
                : Optional.of(new String(coded, head, length, StandardCharsets.UTF_16LE));
    }

    private static byte[] bytes(ClientMessage message) throws ActiveMQException {
        if (message.isLargeMessage()) {
            if (message instanceof ClientLargeMessageInternal large
                    && large.getLargeMessageController().getSize() > JmsBroker.MAX_BODY_BYTES) {
                throw new TooLargeException();
            }
            Limited body = new Limited();
            message.saveToOutputStream(body);
            if (body.exceeded) {
                throw new TooLargeException();
            }
            return body.bytes.toByteArray();
        }
        ActiveMQBuffer buffer = message.getReadOnlyBodyBuffer();
        if (buffer.readableBytes() > JmsBroker.MAX_BODY_BYTES) {
            throw new TooLargeException();
        }
        byte[] body = new byte[buffer.readableBytes()];
        buffer.readBytes(body);
        return body;
    }

    /** Keeps at most {@link JmsBroker#MAX_BODY_BYTES}: a few compressed bytes can expand to very many. */
    private static final class Limited extends OutputStream {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private volatile boolean exceeded;

        @Override
        public void write(int one) {
            write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] some, int from, int length) {
            exceeded |= bytes.size() + (long) length > JmsBroker.MAX_BODY_BYTES;
            if (!exceeded) {
                bytes.write(some, from, length);
            }
        }
    }

    private static Map<String, String> headers(ClientMessage message) {
        Map<String, String> headers = new LinkedHashMap<>();
        put(headers, ID, brokerId(message));
        Object correlation = property(message, MessageUtil.CORRELATIONID_HEADER_NAME_STRING);
        if (correlation instanceof byte[] bytes && bytes.length > 0) {
            put(headers, CORRELATION_BYTES, Base64.getEncoder().encodeToString(bytes));
        } else {
            put(headers, "JMSCorrelationID", text(correlation));
        }
        put(headers, NUMBER, String.valueOf(message.getMessageID()));
        put(headers, "JMSType", text(property(message, MessageUtil.TYPE_HEADER_NAME_STRING)));
        Object replyTo = property(message, MessageUtil.REPLYTO_HEADER_NAME.toString());
        put(headers, ReplyAddress.HEADER, replyTo == null ? null : ReplyAddress.header(replyTo));
        for (String name : new TreeSet<>(MessageUtil.getPropertyNames(message))) {
            if (headers.size() < MAX_HEADERS && !name.equals(NUMBER)) {
                put(headers, name, text(property(message, name)));
            }
        }
        return headers;
    }

    /** A property in the broker's form; null if absent or unreadable. */
    private static Object property(ClientMessage message, String name) {
        try {
            return MessageUtil.getObjectProperty(message, name);
        } catch (RuntimeException e) {
            return null;
        }
    }

    private static String text(Object value) {
        if (value instanceof byte[] bytes) {
            return Utf8.text(bytes)
                    .orElseGet(() -> "base64:" + Base64.getEncoder().encodeToString(bytes));
        }
        return value == null ? null : value.toString();
    }

    private static void put(Map<String, String> headers, String name, String value) {
        if (value != null) {
            headers.put(name, value.length() <= MAX_VALUE_LENGTH ? value : value.substring(0, MAX_VALUE_LENGTH));
        }
    }

    /**
     * The broker gives an AMQP message a new id at each delivery, unless the sender's id is a UUID: for other AMQP
     * messages, returns the sender's id. Without any id, the broker's message number and the timestamp together
     * identify a message: another journal repeats the numbers.
     */
    private static String brokerId(ClientMessage message) {
        String amqp = text(property(message, AMQP_ID));
        if (amqp != null && !amqp.startsWith(AMQP_UUID)) {
            return amqp;
        }
        UUID id = (UUID) message.getUserID();
        return id != null ? "ID:" + id : "number:" + message.getMessageID() + "@" + message.getTimestamp();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ReceivedMessage message
                && headers.equals(message.headers)
                && Arrays.equals(body, message.body)
                && isTooLarge == message.isTooLarge
                && fault.equals(message.fault);
    }

    @Override
    public int hashCode() {
        return headers.hashCode();
    }
}
