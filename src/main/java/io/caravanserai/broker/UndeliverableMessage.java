package io.caravanserai.broker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import java.util.Optional;
import org.apache.activemq.artemis.api.core.management.ResourceNames;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A message at the head of a queue that the broker can neither deliver nor gives up. */
final class UndeliverableMessage {
    private static final Logger LOG = LoggerFactory.getLogger(UndeliverableMessage.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private UndeliverableMessage() {}

    /**
     * Moves the first message of a queue to the dead letter address of the queue.
     *
     * @param session of a started connection
     */
    static void giveUpFirst(Session session, String queue) throws JMSException {
        String resource = ResourceNames.QUEUE + queue;
        Optional<Long> number = BrokerManagement.call(session, resource, "getFirstMessageAsJSON")
                .flatMap(UndeliverableMessage::number);
        if (number.isEmpty()) {
            return;
        }
        boolean isMoved = BrokerManagement.call(session, resource, "sendMessageToDeadLetterAddress", number.get())
                .filter(Boolean.TRUE::equals)
                .isPresent();
        if (isMoved) {
            LOG.atWarn()
                    .addKeyValue("queue", queue)
                    .addKeyValue("messageId", number.get())
                    .log("message that the broker cannot deliver moved to the dead letter address");
        }
    }

    private static Optional<Long> number(Object json) {
        try {
            JsonNode number = JSON.readTree(String.valueOf(json)).path(0).path("messageID");
            return number.isMissingNode() ? Optional.empty() : Optional.of(number.asLong());
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }
}
