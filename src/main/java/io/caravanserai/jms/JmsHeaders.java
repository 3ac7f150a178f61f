package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.bus.EventFilter;
import io.caravanserai.event.EventType;
import jakarta.jms.BytesMessage;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.Queue;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TemporaryTopic;
import jakarta.jms.TextMessage;
import jakarta.jms.Topic;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.activemq.artemis.jms.client.ActiveMQDestination;
import org.apache.activemq.artemis.jms.client.ActiveMQMessage;

/** Headers and body of JMS messages as text. */
public final class JmsHeaders {
    /** Prefix of CloudEvents attributes in the properties of a message. */
    static final String CLOUD_EVENTS = "cloudEvents_";

    private JmsHeaders() {}

    /** All properties, and the standard headers that tell messages apart, as text. */
    public static Map<String, String> all(Message message) throws JMSException {
        Map<String, String> headers = new LinkedHashMap<>();
        put(headers, "JMSMessageID", id(message));
        put(headers, "JMSCorrelationID", message.getJMSCorrelationID());
        put(headers, "JMSType", message.getJMSType());
        put(headers, "JMSReplyTo", message.getJMSReplyTo() == null ? null : name(message.getJMSReplyTo()));
        for (Object name : propertyNames(message)) {
            Object value = message.getObjectProperty((String) name);
            put(headers, (String) name, value == null ? null : value.toString());
        }
        return headers;
    }

    /** What tells a message from all others, also when it comes again: the broker's number where its sender gave no id. */
    static String id(Message message) throws JMSException {
        String id = message.getJMSMessageID();
        return id != null
                ? id
                : "number:" + ((ActiveMQMessage) message).getCoreMessage().getMessageID() + "@"
                        + message.getJMSTimestamp();
    }

    /** The CloudEvents attributes among headers, without their prefix. */
    static Map<String, String> attributes(Map<String, String> headers) {
        Map<String, String> attributes = new LinkedHashMap<>();
        headers.forEach((name, value) -> {
            if (name.startsWith(CLOUD_EVENTS)) {
                attributes.put(name.substring(CLOUD_EVENTS.length()), value);
            }
        });
        return attributes;
    }

    /** The CloudEvents attributes of a message. */
    static Map<String, String> attributes(Message message) throws JMSException {
        Map<String, String> attributes = new LinkedHashMap<>();
        for (Object name : propertyNames(message)) {
            String property = (String) name;
            if (property.startsWith(CLOUD_EVENTS)) {
                attributes.put(property.substring(CLOUD_EVENTS.length()), message.getStringProperty(property));
            }
        }
        return attributes;
    }

    /** What makes the broker keep for a subscriber only what passes the filter; empty when all does. */
    static Optional<String> selector(EventFilter filter) {
        List<String> conditions = new ArrayList<>();
        filter.style().ifPresent(style -> conditions.add(CLOUD_EVENTS + "style = '" + style.wire() + "'"));
        if (!filter.types().isEmpty()) {
            conditions.add(filter.types().stream()
                    .map(EventType::name)
                    .sorted()
                    .collect(Collectors.joining("', '", CLOUD_EVENTS + "type IN ('", "')")));
        }
        return conditions.isEmpty() ? Optional.empty() : Optional.of(String.join(" AND ", conditions));
    }

    private static List<?> propertyNames(Message message) throws JMSException {
        Enumeration<?> names = message.getPropertyNames();
        return Collections.list(names);
    }

    /** The body as text; empty when it is none: other than text, or bytes that are not UTF-8. */
    public static Optional<String> text(Message message) throws JMSException {
        if (message instanceof TextMessage text) {
            return Optional.ofNullable(text.getText());
        }
        return bytes(message).flatMap(JmsHeaders::utf8);
    }

    /** Whether the body is larger than any order or event: then it is better not read. */
    public static boolean isTooLarge(Message message) throws JMSException {
        return message instanceof BytesMessage bytes && bytes.getBodyLength() > JmsBroker.LARGEST_BODY;
    }

    /** The body of a message of bytes; empty when it is another kind of message. */
    public static Optional<byte[]> bytes(Message message) throws JMSException {
        if (message instanceof BytesMessage bytes) {
            byte[] body = new byte[(int) bytes.getBodyLength()];
            bytes.reset();
            bytes.readBytes(body);
            return Optional.of(body);
        }
        return Optional.empty();
    }

    /** Bytes as text; empty when they are not UTF-8. */
    public static Optional<String> utf8(byte[] bytes) {
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    /** A destination as text that {@link #destination} reads. */
    public static String name(Destination destination) throws JMSException {
        if (destination instanceof TemporaryQueue queue) {
            return "temp-queue://" + queue.getQueueName();
        }
        if (destination instanceof TemporaryTopic topic) {
            return "temp-topic://" + topic.getTopicName();
        }
        if (destination instanceof Queue queue) {
            return "queue://" + queue.getQueueName();
        }
        return "topic://" + ((Topic) destination).getTopicName();
    }

    /** The destination that a name stands for, as long as it exists: a temporary one goes with its connection. */
    public static Destination destination(String name) {
        return ActiveMQDestination.fromPrefixedName(name);
    }

    private static void put(Map<String, String> headers, String name, String value) {
        if (value != null) {
            headers.put(name, value);
        }
    }
}
