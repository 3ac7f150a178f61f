package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetterSink;
import io.caravanserai.deadletter.DeadLetters;
import jakarta.jms.BytesMessage;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.Session;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * Keeps a message that came over JMS and could not be handled in the hub's list, and puts it into the queue {@code DLQ}
 * with its headers and the reason, for those who look there. Thread-safe.
 */
public final class JmsDeadLetters implements DeadLetterSink, AutoCloseable {
    /** The queue of dead letters. */
    public static final String QUEUE = "DLQ";

    /** Property with the id of the letter in the hub's list. */
    static final String LETTER = "deadLetterId";

    private final DeadLetters letters;
    private final JmsSender sender;

    public JmsDeadLetters(DeadLetters letters, JmsBroker broker) {
        this.letters = letters;
        this.sender = new JmsSender("dead-letters", broker).start();
    }

    /** The list that they are kept in. */
    public DeadLetters letters() {
        return letters;
    }

    @Override
    public CompletableFuture<String> add(DeadLetter.Failed failed) {
        return letters.add(failed)
                .thenCompose(id -> sender.send(List.of(new InQueue(id, failed))).thenApply(nothing -> id));
    }

    @Override
    public void close() {
        sender.close();
    }

    private record InQueue(String id, DeadLetter.Failed failed) implements JmsSender.Outgoing {
        @Override
        public Destination destination(Session session) throws JMSException {
            return session.createQueue(QUEUE);
        }

        @Override
        public Message message(Session session) throws JMSException {
            Message message = body(session);
            for (Map.Entry<String, String> header : failed.headers().entrySet()) {
                // What tells a broker how to treat a message is not for this one: it may come twice after a crash.
                if (!header.getKey().startsWith("JMS") && !header.getKey().startsWith("_AMQ")) {
                    message.setStringProperty(header.getKey(), header.getValue());
                }
            }
            message.setJMSCorrelationID(failed.headers().get("JMSCorrelationID"));
            message.setJMSType(failed.headers().get("JMSType"));
            String replyTo = failed.headers().get("JMSReplyTo");
            message.setJMSReplyTo(replyTo == null ? null : JmsHeaders.destination(replyTo));
            message.setStringProperty("originalMessageId", failed.headers().get("JMSMessageID"));
            message.setStringProperty("originalDestination", failed.source());
            message.setStringProperty("reason", failed.reason());
            message.setStringProperty("error", failed.error());
            message.setStringProperty(LETTER, id);
            return message;
        }

        private Message body(Session session) throws JMSException {
            if (!failed.base64()) {
                return session.createTextMessage(failed.body());
            }
            BytesMessage message = session.createBytesMessage();
            message.writeBytes(Base64.getDecoder().decode(failed.body()));
            return message;
        }
    }
}
