package io.caravanserai.jms;

import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.Session;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.jms.client.ActiveMQDestination;
import org.apache.activemq.artemis.jms.client.ActiveMQMessage;
import org.apache.activemq.artemis.jms.client.JMSExceptionHelper;
import org.apache.activemq.artemis.reader.MessageUtil;

/**
 * The address for a sender's reply: a queue or topic with the prefix that JMS clients add, or an address without a
 * prefix, as from STOMP clients.
 *
 * @param text as received, such as {@code queue://replies} or {@code replies}
 */
public record ReplyAddress(String text) {
    public static final String HEADER = "JMSReplyTo";

    private static final List<String> PREFIXES = List.of("queue://", "topic://", "temp-queue://", "temp-topic://");
    private static final String QUALIFIER = "::";
    private static final int MAX_LENGTH = 500;

    /** A property of any type as text. A value that is no text becomes an invalid address. */
    static String header(Object property) {
        return property instanceof String address ? address : "no text: " + property;
    }

    /** The reply address of a message; empty if the message has none. */
    public static Optional<ReplyAddress> of(Map<String, String> headers) {
        return Optional.ofNullable(headers.get(HEADER)).map(ReplyAddress::new);
    }

    /** Whether the address is well-formed. */
    public boolean isValid() {
        String name = name();
        return !name.isEmpty()
                && text.length() <= MAX_LENGTH
                && name.chars().noneMatch(each -> each <= ' ' || each == '#' || each == '*' || each == 0x7f)
                && isAddressWithQueue(name);
    }

    /**
     * In {@code address::queue}, neither part may be empty. Artemis splits at the first two colons or at the last, so
     * only one separator is allowed.
     */
    private static boolean isAddressWithQueue(String name) {
        int qualifier = name.indexOf(QUALIFIER);
        return qualifier < 0
                || qualifier > 0
                        && qualifier + QUALIFIER.length() < name.length()
                        && name.indexOf(QUALIFIER, qualifier + 1) < 0;
    }

    /** The address without the prefix. */
    public String name() {
        String prefix = prefix();
        return text.substring(prefix.length());
    }

    private String prefix() {
        return PREFIXES.stream().filter(text::startsWith).findFirst().orElse("");
    }

    /** Makes this the reply address of a message. An address without a prefix stays one. */
    void putOn(Message message) throws JMSException {
        if (prefix().isEmpty()) {
            MessageUtil.setStringProperty(((ActiveMQMessage) message).getCoreMessage(), HEADER, text);
        } else {
            message.setJMSReplyTo(prefixed());
        }
    }

    private Destination prefixed() {
        return ActiveMQDestination.fromPrefixedName(text);
    }

    /** The destination at the broker. May query the broker. */
    public Destination destination(Session session) throws JMSException {
        if (!prefix().isEmpty()) {
            return prefixed();
        }
        Optional<ClientSession> core = TemporaryDestinations.core(session);
        try {
            boolean isTopic = core.isPresent() && isTopic(core.get().addressQuery(SimpleString.of(text)));
            return isTopic ? session.createTopic(text) : session.createQueue(text);
        } catch (ActiveMQException e) {
            throw JMSExceptionHelper.convertFromActiveMQException(e);
        }
    }

    private static boolean isTopic(ClientSession.AddressQuery address) {
        return address.isExists() && address.isSupportsMulticast() && !address.isSupportsAnycast();
    }
}
