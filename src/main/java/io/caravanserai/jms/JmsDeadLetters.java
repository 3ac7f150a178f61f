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
 * Keeps a message that came over JMS and could not be handled in the hub's list, and puts it into the queue {@code DLQ}
 * with its headers and the reason, for those who look there. Thread-safe.
 */
public final class JmsDeadLetters implements DeadLetterSink, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JmsDeadLetters.class);

    /** The queue of dead letters. */
    public static final String QUEUE = "DLQ";

    /** Property with the id of the letter in the hub's list. */
    static final String LETTER = "deadLetterId";

    private final DeadLetters letters;
    private final JmsBroker broker;
    private final JmsSender sender;

    public JmsDeadLetters(DeadLetters letters, JmsBroker broker) {
        this.letters = letters;
        this.broker = broker;
        this.sender = new JmsSender("dead-letters", broker).start();
    }

    /** The list that they are kept in. */
    public DeadLetters letters() {
        return letters;
    }

    @Override
    public CompletableFuture<String> add(DeadLetter.Failed failed) {
        return letters.add(failed)
                .thenCompose(id -> sender.send(List.of(new InQueue(id, failed, true)))
                        .handle((nothing, failure) -> failure)
                        .thenCompose(failure -> failure == null ? sent() : withoutTheirs(id, failed, failure))
                        .thenApply(nothing -> id));
    }

    private static CompletableFuture<Void> sent() {
        return CompletableFuture.completedFuture(null);
    }

    /** A broker may refuse what its message has in headers or body; the hub's list has them. */
    private CompletableFuture<Void> withoutTheirs(String id, DeadLetter.Failed failed, Throwable failure) {
        if (broker.unavailableReason().isPresent()) {
            return CompletableFuture.failedFuture(failure);
        }
        LOG.atWarn()
                .addKeyValue("deadLetterId", id)
                .addKeyValue("error", DeadLetter.firstLine(failure))
                .log("copy of a dead letter not taken by the queue DLQ; sending it without headers and body");
        return sender.send(List.of(new InQueue(id, failed, false)));
    }

    @Override
    public void close() {
        sender.close();
    }

    /** @param whole whether with the headers and the body of the message */
    private record InQueue(String id, DeadLetter.Failed failed, boolean whole) implements JmsSender.Outgoing {
        @Override
        public Destination destination(Session session) throws JMSException {
            return session.createQueue(QUEUE);
        }

        @Override
        public Message message(Session session) throws JMSException {
            Message message = whole ? body(session) : session.createTextMessage();
            if (whole) {
                putTheirs(message);
                message.setStringProperty("originalMessageId", failed.headers().get("JMSMessageID"));
            } else {
                message.setBooleanProperty("bodyLeftOut", true);
            }
            message.setStringProperty("originalDestination", failed.source());
            message.setStringProperty("reason", failed.reason());
            message.setStringProperty("error", failed.error());
            message.setStringProperty(LETTER, id);
            return message;
        }

        private void putTheirs(Message message) throws JMSException {
            JmsHeaders.putProperties(message, failed.headers());
            message.setJMSCorrelationID(failed.headers().get("JMSCorrelationID"));
            message.setJMSType(failed.headers().get("JMSType"));
            Optional<ReplyAddress> replyTo = ReplyAddress.of(failed.headers()).filter(ReplyAddress::isPrefixed);
            if (replyTo.isPresent()) {
                message.setJMSReplyTo(replyTo.get().prefixed());
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
