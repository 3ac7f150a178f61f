package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.Replayer;
import io.caravanserai.deadletter.Seals;
import io.caravanserai.deadletter.TargetUnavailableException;
import jakarta.jms.BytesMessage;
import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.activemq.artemis.api.core.ActiveMQDuplicateIdException;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ClientConsumer;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.jms.client.ActiveMQSession;

/**
 * Moves messages that the broker gave up from the queue {@code DLQ} back to the source, or removes them from the queue.
 * Thread-safe.
 */
final class BrokerDlqReplayer implements Replayer {
    /** Property of a replayed message: after another failure the message is the same dead letter. */
    static final String ORIGIN = "deadLetterOrigin";
    /** Property of a replayed message that only the hub can produce; every sender can set {@link #ORIGIN}. */
    static final String SEAL = "deadLetterSeal";

    static final String ORIGINAL_ADDRESS = "_AMQ_ORIG_ADDRESS";
    static final String ORIGINAL_QUEUE = "_AMQ_ORIG_QUEUE";
    static final String ORIGINAL_NUMBER = "_AMQ_ORIG_MESSAGE_ID";
    private static final String ORIGINAL_ROUTING = "_AMQ_ORIG_ROUTING_TYPE";
    private static final SimpleString QUEUE = SimpleString.of(JmsDeadLetters.QUEUE);
    private static final long RECEIVE_TIMEOUT_MILLIS = 500;

    private final JmsBroker broker;
    private final Seals seals;
    private final Executor executor;

    /** @param executor for the blocking work with the broker */
    BrokerDlqReplayer(JmsBroker broker, Seals seals, Executor executor) {
        this.broker = broker;
        this.seals = seals;
        this.executor = executor;
    }

    /** Moves the message from {@code DLQ} back to the source, in one transaction. */
    @Override
    public CompletableFuture<Void> replay(DeadLetter letter) {
        CompletableFuture<Void> sent = seals.of(letter)
                .thenCombine(ReplayedId.seal(seals, letter), ReplaySeals::new)
                .thenCompose(seal -> transacted(session -> {
                    remove(session, letter);
                    try (MessageProducer producer = session.createProducer(sourceDestination(session, letter))) {
                        producer.send(replayMessage(session, letter, seal));
                    }
                }));
        return sent.exceptionallyCompose(
                error -> wasSentBefore(error) ? discard(letter) : CompletableFuture.<Void>failedFuture(error));
    }

    /** Whether an earlier replay sent the message, for example one that ended before recording success. */
    private static boolean wasSentBefore(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof ActiveMQDuplicateIdException) {
                return true;
            }
        }
        return false;
    }

    /** Removes the message from {@code DLQ}, because the next start would list the message again. */
    @Override
    public CompletableFuture<Void> discard(DeadLetter letter) {
        return transacted(session -> remove(session, letter));
    }

    /**
     * Removes up to the given number of messages from {@code DLQ}; none if other consumers took the messages first.
     */
    static void remove(Session session, String filter, int limit) throws JMSException, ActiveMQException {
        ClientSession core = ((ActiveMQSession) session).getCoreSession();
        if (!core.queueQuery(QUEUE).isExists()) {
            return;
        }
        try (ClientConsumer consumer = core.createConsumer(QUEUE, SimpleString.of(filter))) {
            ClientMessage message = consumer.receive(RECEIVE_TIMEOUT_MILLIS);
            for (int removed = 1; message != null; removed++) {
                message.individualAcknowledge();
                message = removed < limit ? consumer.receive(RECEIVE_TIMEOUT_MILLIS) : null;
            }
        }
    }

    private record ReplaySeals(String ofOrigin, String ofId) {}

    private interface Work {
        void with(Session session) throws JMSException, ActiveMQException;
    }

    private CompletableFuture<Void> transacted(Work work) {
        return CompletableFuture.runAsync(
                () -> {
                    broker.unavailableReason().ifPresent(reason -> {
                        throw new TargetUnavailableException(reason, null);
                    });
                    try (Connection connection = broker.connectAside();
                            Session session = connection.createSession(true, Session.SESSION_TRANSACTED)) {
                        connection.start();
                        work.with(session);
                        session.commit();
                    } catch (JMSException | ActiveMQException e) {
                        throw isUnavailable()
                                ? new TargetUnavailableException(
                                        "the connection to the JMS broker broke: " + e.getMessage(), e)
                                : new IllegalStateException("the JMS broker refused: " + e.getMessage(), e);
                    }
                },
                executor);
    }

    /** Tries a new connection: {@link JmsBroker} may notice an outage later than the users of a broken connection. */
    private boolean isUnavailable() {
        if (broker.unavailableReason().isPresent()) {
            return true;
        }
        try (Connection connection = broker.connectAside()) {
            connection.start();
            return false;
        } catch (JMSException e) {
            return true;
        }
    }

    private static void remove(Session session, DeadLetter letter) throws JMSException, ActiveMQException {
        Optional<String> filter = filter(letter.headers());
        if (filter.isPresent()) {
            // No match if another consumer or an earlier replay took the message: then the stored copy alone is sent.
            remove(session, filter.get(), 1);
        }
    }

    private static Optional<String> filter(Map<String, String> headers) {
        // Several subscriptions of a topic may give up the same message.
        String queue = headers.get(ORIGINAL_QUEUE);
        String ofQueue = queue == null ? "" : " AND " + ORIGINAL_QUEUE + " = " + quoted(queue);
        String id = headers.getOrDefault(ReceivedMessage.ID, "");
        String number = headers.get(ORIGINAL_NUMBER);
        if (id.startsWith("ID:") && !headers.containsKey(ReceivedMessage.AMQP_ID)) {
            return Optional.of("AMQUserID = " + quoted(id) + ofQueue);
        }
        // The sender gave no id, or one that the broker cannot select by.
        return Optional.ofNullable(number).map(value -> ORIGINAL_NUMBER + " = " + value + ofQueue);
    }

    private static String quoted(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private static Destination sourceDestination(Session session, DeadLetter letter) throws JMSException {
        String address = letter.headers().getOrDefault(ORIGINAL_ADDRESS, letter.source());
        String queue = letter.headers().getOrDefault(ORIGINAL_QUEUE, address);
        if (address.startsWith("activemq.") || address.startsWith("$")) {
            throw new IllegalStateException("replay refused: the address " + address + " is internal to the broker");
        }
        String name = queue.equals(address) ? queue : address + "::" + queue;
        boolean ofTopic = String.valueOf(RoutingType.MULTICAST.getType())
                .equals(letter.headers().get(ORIGINAL_ROUTING));
        return ofTopic ? session.createTopic(name) : session.createQueue(name);
    }

    private static Message replayMessage(Session session, DeadLetter letter, ReplaySeals seals) throws JMSException {
        Message message;
        if (letter.base64()) {
            BytesMessage bytes = session.createBytesMessage();
            bytes.writeBytes(Base64.getDecoder().decode(letter.body()));
            message = bytes;
        } else {
            message = session.createTextMessage(letter.body());
        }
        JmsHeaders.putProperties(message, letter.headers());
        message.setStringProperty(ORIGIN, letter.origin());
        message.setStringProperty(SEAL, seals.ofOrigin());
        ReplayedId.putOn(message, letter, seals.ofId());
        message.setStringProperty(
                org.apache.activemq.artemis.api.core.Message.HDR_DUPLICATE_DETECTION_ID.toString(),
                duplicateId(letter));
        message.setJMSType(letter.headers().get("JMSType"));
        putReplyTo(message, letter.headers());
        return message;
    }

    /** The sender recognizes the reply by the correlation id, or by the id of the first message. */
    private static void putReplyTo(Message message, Map<String, String> headers) throws JMSException {
        Optional<ReplyAddress> replyTo = ReplyAddress.of(headers).filter(ReplyAddress::isValid);
        if (replyTo.isPresent()) {
            replyTo.get().putOn(message);
        }
        String bytes = headers.get(ReceivedMessage.CORRELATION_BYTES);
        if (bytes != null) {
            message.setJMSCorrelationIDAsBytes(Base64.getDecoder().decode(bytes));
        } else {
            String id = replyTo.isPresent() ? ReplayedId.of(headers) : null;
            message.setJMSCorrelationID(headers.getOrDefault("JMSCorrelationID", id));
        }
    }

    /**
     * The broker accepts one replay for each time that the message was given up. Hubs that share {@code DLQ} each have
     * a dead letter for the same message, so the id contains the message's number there, not the dead letter's id.
     */
    private static String duplicateId(DeadLetter letter) {
        String number = letter.headers().get(ReceivedMessage.NUMBER);
        return number == null
                ? letter.id() + '/' + letter.receivedAt().toEpochMilli()
                : "dead-letter/" + number + '/' + letter.headers().get(ReceivedMessage.ID);
    }
}
