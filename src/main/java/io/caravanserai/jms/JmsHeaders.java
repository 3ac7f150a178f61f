package io.caravanserai.jms;

import io.caravanserai.bus.EventFilter;
import io.caravanserai.event.EventType;
import jakarta.jms.Message;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.jms.client.ActiveMQMessage;
import org.apache.activemq.artemis.reader.MessageUtil;

/** Headers of JMS messages as text, and what they say of an event. */
public final class JmsHeaders {
    /** Prefix of CloudEvents attributes in the properties of a message. */
    static final String CLOUD_EVENTS = "cloudEvents_";

    private static final String GROUP = "JMSXGroupID";
    private static final List<String> OF_BROKERS = List.of("JMS", "_AMQ", "__AMQ", "_hornetq", "__HDR_", "NATIVE_");

    private JmsHeaders() {}

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

    /**
     * Puts what a sender said on a message, under names of any kind: other protocols have names that JMS has not. What
     * tells a broker or a client how to treat a message is left out: it was for another one.
     */
    static void putProperties(Message message, Map<String, String> headers) {
        ClientMessage core = ((ActiveMQMessage) message).getCoreMessage();
        headers.forEach((name, value) -> {
            if (isOfTheSender(name)) {
                MessageUtil.setStringProperty(core, name, value);
            }
        });
    }

    /** Whether a property is the sender's own, and not one for brokers and clients. */
    static boolean isOfTheSender(String name) {
        return !name.isEmpty() && (name.equals(GROUP) || OF_BROKERS.stream().noneMatch(name::startsWith));
    }
}
