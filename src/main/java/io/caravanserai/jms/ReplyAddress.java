package io.caravanserai.jms;

import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.jms.client.ActiveMQDestination;
import org.apache.activemq.artemis.jms.client.JMSExceptionHelper;

/**
 * Where a sender wants its reply: a queue or topic, by the prefix that clients of JMS give it, or an address without one,
 * as clients of STOMP do.
 *
 * @param text as it came, such as {@code queue://replies} or {@code replies}
 */
public record ReplyAddress(String text) {
    static final String HEADER = "JMSReplyTo";

    private static final List<String> PREFIXES = List.of("queue://", "topic://", "temp-queue://", "temp-topic://");
    private static final String QUALIFIER = "::";
    private static final int LONGEST = 500;

    /** What a property of any type says as text; one that is no text is no address either. */
    static String header(Object property) {
        return property instanceof String address ? address : "no text: " + property;
    }

    /** The address that a message names; empty when it names none. */
    public static Optional<ReplyAddress> of(Map<String, String> headers) {
        return Optional.ofNullable(headers.get(HEADER)).map(ReplyAddress::new);
    }

    /** Whether there can be such an address. */
    public boolean isValid() {
        String name = name();
        return !name.isEmpty()
                && text.length() <= LONGEST
                && name.chars().noneMatch(each -> each <= ' ' || each == '#' || each == '*' || each == 0x7f)
                && isAddressWithQueue(name);
    }

    /** Of {@code address::queue} both have a name. Artemis splits at the first two colons, or at the last. */
    private static boolean isAddressWithQueue(String name) {
        int qualifier = name.indexOf(QUALIFIER);
        return qualifier < 0
                || qualifier > 0
                        && qualifier + QUALIFIER.length() < name.length()
                        && name.indexOf(QUALIFIER, qualifier + 1) < 0;
    }

    /** The address without its prefix. */
    public String name() {
        String prefix = prefix();
        return text.substring(prefix.length());
    }

    private String prefix() {
        return PREFIXES.stream().filter(text::startsWith).findFirst().orElse("");
    }

    /** Whether the address says of what kind it is. */
    boolean isPrefixed() {
        return isValid() && !prefix().isEmpty();
    }

    /** The destination of an address with a prefix. */
    Destination prefixed() {
        return ActiveMQDestination.fromPrefixedName(text);
    }

    /** The destination as the broker has it. May ask the broker. */
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
