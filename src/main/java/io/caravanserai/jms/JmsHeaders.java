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

/** Headers of JMS messages as text, and the CloudEvents attributes among these headers. */
public final class JmsHeaders {
    /** Prefix of CloudEvents attributes in message properties. */
    static final String CLOUD_EVENTS = "cloudEvents_";

    private static final String GROUP = "JMSXGroupID";
    private static final List<String> BROKER_PREFIXES =
            List.of("JMS", "_AMQ", "__AMQ", "_hornetq", "__HDR_", "NATIVE_");

    private JmsHeaders() {}

    /** The CloudEvents attributes among headers, without the prefix. */
    static Map<String, String> attributes(Map<String, String> headers) {
        Map<String, String> attributes = new LinkedHashMap<>();
        headers.forEach((name, value) -> {
            if (name.startsWith(CLOUD_EVENTS)) {
                attributes.put(name.substring(CLOUD_EVENTS.length()), value);
            }
        });
        return attributes;
    }

    /** The selector that makes the broker store only events that pass the filter; empty if all events pass. */
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
     * Copies the sender's properties to a message, under names of any kind: other protocols permit names that JMS does
     * not. Properties that instruct a broker or a client are left out, because the instructions were for the original
     * message.
     */
    static void putProperties(Message message, Map<String, String> headers) {
        ClientMessage core = ((ActiveMQMessage) message).getCoreMessage();
        headers.forEach((name, value) -> {
            if (isSenderProperty(name)) {
                MessageUtil.setStringProperty(core, name, value);
            }
        });
    }

    /** Whether a property belongs to the sender, not to brokers and clients. */
    static boolean isSenderProperty(String name) {
        return !name.isEmpty()
                && (name.equals(GROUP) || BROKER_PREFIXES.stream().noneMatch(name::startsWith));
    }
}
