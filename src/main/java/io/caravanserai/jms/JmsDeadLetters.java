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
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores a JMS message that could not be handled in the hub's list, and sends a copy with headers and reason to the
 * queue {@code DLQ} for other programs. Thread-safe.
 */
public final class JmsDeadLetters implements DeadLetterSink, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JmsDeadLetters.class);

    /** The queue of dead letters. */
    public static final String QUEUE = "DLQ";

    /** Property with the dead letter's id in the hub's list. */
    static final String DEAD_LETTER_ID = "deadLetterId";

    private final DeadLetters letters;
    private final JmsBroker broker;
    private final JmsSender sender;

    public JmsDeadLetters(DeadLetters letters, JmsBroker broker) {
        this.letters = letters;
        this.broker = broker;
        this.sender = new JmsSender("dead-letters", broker).start();
    }

    /** The hub's list of dead letters. */
    public DeadLetters letters() {
        return letters;
    }

    @Override
    public CompletableFuture<String> add(DeadLetter.Failed failed) {
        return letters.add(failed)
                .thenCompose(id -> sender.send(List.of(new InQueue(id, failed, true)))
                        .handle((nothing, failure) -> failure)
                        .thenCompose(failure -> failure == null ? sent() : sendBareCopy(id, failed, failure))
                        .thenApply(nothing -> id));
    }

    private static CompletableFuture<Void> sent() {
        return CompletableFuture.completedFuture(null);
    }

    /**
     * Sends the copy without headers and body, which a broker may refuse; the hub's list has both. Fails while the
     * broker is unavailable.
     */
    private CompletableFuture<Void> sendBareCopy(String id, DeadLetter.Failed failed, Throwable failure) {
        if (broker.unavailableReason().isPresent()) {
            return CompletableFuture.failedFuture(failure);
        }
        LOG.atWarn()
                .addKeyValue("deadLetterId", id)
                .addKeyValue("error", DeadLetter.firstLine(failure))
                .log("queue DLQ refused the copy of a dead letter; sending the copy without headers and body");
        return sender.send(List.of(new InQueue(id, failed, false)));
    }

    @Override
    public void close() {
        sender.close();
    }

    /** @param whole whether the copy has the headers and the body of the message */
    private record InQueue(String id, DeadLetter.Failed failed, boolean whole) implements JmsSender.Outgoing {
        @Override
        public Destination destination(Session session) throws JMSException {
            return session.createQueue(QUEUE);
        }

        @Override
        public Message message(Session session) throws JMSException {
            Message message = whole ? body(session) : session.createTextMessage();
            if (whole) {
                putHeaders(message);
                message.setStringProperty("originalMessageId", failed.headers().get("JMSMessageID"));
            } else {
                message.setBooleanProperty("bodyLeftOut", true);
            }
            message.setStringProperty("originalDestination", failed.source());
            message.setStringProperty("reason", failed.reason());
            message.setStringProperty("error", failed.error());
            message.setStringProperty(DEAD_LETTER_ID, id);
            return message;
        }

        private void putHeaders(Message message) throws JMSException {
            JmsHeaders.putProperties(message, failed.headers());
            message.setJMSCorrelationID(failed.headers().get("JMSCorrelationID"));
            message.setJMSType(failed.headers().get("JMSType"));
            Optional<ReplyAddress> replyTo = ReplyAddress.of(failed.headers()).filter(ReplyAddress::isValid);
            if (replyTo.isPresent()) {
                replyTo.get().putOn(message);
            }
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
