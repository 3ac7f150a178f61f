package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.deadletter.AwayException;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.deadletter.Replayer;
import jakarta.jms.BytesMessage;
import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import java.util.Base64;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.activemq.artemis.api.core.ActiveMQDuplicateIdException;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.jms.client.ActiveMQMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings what the broker itself gave up, such as a command of a flow that failed too often, into the hub's list. The
 * message stays in the queue {@code DLQ} until it is replayed or deleted, so both places tell the same; and so do the
 * copies there of letters that the hub gave up itself.
 */
public final class JmsDeadLetterWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JmsDeadLetterWatch.class);

    private static final String CHANNEL = "jms-dlq";
    /** Property of a replayed message: should it fail again, it is the same letter. */
    private static final String ORIGIN = "deadLetterOrigin";

    private static final String ORIGINAL_ADDRESS = "_AMQ_ORIG_ADDRESS";
    private static final String ORIGINAL_NUMBER = "_AMQ_ORIG_MESSAGE_ID";
    private static final String ORIGINAL_QUEUE = "_AMQ_ORIG_QUEUE";
    private static final String ORIGINAL_ROUTING = "_AMQ_ORIG_ROUTING_TYPE";
    private static final String EXPIRED = "_AMQ_ACTUAL_EXPIRY";
    private static final int LOOK_MILLIS = 1_000;

    /** Beyond this many messages the rest waits its turn: looking costs time and memory. */
    private static final int MOST_LOOKED_AT = 10_000;

    private final JmsBroker broker;
    private final DeadLetters letters;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread one = new Thread(work, "jms-dead-letter-watch");
        one.setDaemon(true);
        return one;
    });
    private Set<Long> seen = new HashSet<>();
    private long addedBefore = -1;

    public JmsDeadLetterWatch(JmsBroker broker, DeadLetters letters) {
        this.broker = broker;
        this.letters = letters;
        letters.replayedBy(CHANNEL, new InQueue());
    }

    public JmsDeadLetterWatch start() {
        thread.scheduleWithFixedDelay(this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        return this;
    }

    private void look() {
        if (broker.trouble().isPresent()) {
            return;
        }
        takeOutCopies();
        long added = broker.embedded()
                .map(embedded -> embedded.everAdded(JmsDeadLetters.QUEUE))
                .orElse(-1L);
        if (added >= 0 && added == addedBefore) {
            return;
        }
        try (Connection connection = broker.connectAside();
                Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
                QueueBrowser browser = session.createBrowser(session.createQueue(JmsDeadLetters.QUEUE))) {
            connection.start();
            Set<Long> present = new HashSet<>();
            Enumeration<?> messages = browser.getEnumeration();
            while (messages.hasMoreElements() && present.size() < MOST_LOOKED_AT) {
                Message message = (Message) messages.nextElement();
                long number = ((ActiveMQMessage) message).getCoreMessage().getMessageID();
                present.add(number);
                if (!seen.contains(number) && !message.propertyExists(JmsDeadLetters.LETTER)) {
                    letters.addFound(failed(message, number), "JMSMessageID").get();
                }
            }
            seen = present;
            addedBefore = added;
        } catch (JMSException e) {
            LOG.atDebug().setCause(e).log("the queue of dead letters cannot be looked at");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            LOG.atWarn().setCause(e).log("dead letters of the broker could not be listed; it is tried again");
        }
    }

    /** What breaks off, or is done and not noted, is done again: then there is nothing left to take. */
    private void takeOutCopies() {
        try {
            List<String> ids = letters.copiesToLeave().get();
            while (!ids.isEmpty()) {
                takeOut(ids);
                letters.copiesLeft(ids).get();
                ids = letters.copiesToLeave().get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            LOG.atDebug().setCause(e).log("copies of dead letters could not be taken out; it is tried again");
        }
    }

    private void takeOut(List<String> letterIds) throws JMSException {
        String theirs = letterIds.stream().collect(Collectors.joining("', '", JmsDeadLetters.LETTER + " IN ('", "')"));
        try (Connection connection = broker.connectAside();
                Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
                MessageConsumer consumer = session.createConsumer(session.createQueue(JmsDeadLetters.QUEUE), theirs)) {
            connection.start();
            while (consumer.receiveNoWait() != null) {
                LOG.trace("copy taken out");
            }
            session.commit();
        }
    }

    private static DeadLetter.Failed failed(Message message, long number) throws JMSException {
        Map<String, String> headers = JmsHeaders.all(message);
        // Another broker may number its messages as the one before it.
        String origin = headers.getOrDefault(ORIGIN, CHANNEL + ':' + number + ':' + headers.get("JMSMessageID"));
        String text = JmsHeaders.text(message).orElse(null);
        byte[] bytes = text == null ? JmsHeaders.bytes(message).orElse(null) : null;
        boolean expired = headers.containsKey(EXPIRED);
        return new DeadLetter.Failed(
                origin,
                CHANNEL,
                headers.getOrDefault(ORIGINAL_QUEUE, headers.getOrDefault(ORIGINAL_ADDRESS, JmsDeadLetters.QUEUE)),
                headers.get(JmsHeaders.CLOUD_EVENTS + "type"),
                headers.getOrDefault("reason", expired ? "expired" : "delivery-failed"),
                headers.getOrDefault(
                        "error",
                        expired
                                ? "the message expired before anybody took it"
                                : "whoever received it gave it back too often; their log says why"),
                headers,
                bytes == null ? text : Base64.getEncoder().encodeToString(bytes),
                bytes != null);
    }

    private final class InQueue implements Replayer {
        /** Takes the message out of the queue of dead letters and sends it to where it came from, in one transaction. */
        @Override
        public CompletableFuture<Void> replay(DeadLetter letter) {
            CompletableFuture<Void> sent = transacted(session -> {
                takeOut(session, letter);
                try (MessageProducer producer = session.createProducer(whereItCameFrom(session, letter))) {
                    producer.send(again(session, letter));
                }
            });
            return sent.exceptionallyCompose(
                    error -> wasSentBefore(error) ? discard(letter) : CompletableFuture.<Void>failedFuture(error));
        }

        /** By a replay before this one, which may have died before it could note that. */
        private static boolean wasSentBefore(Throwable error) {
            for (Throwable cause = error; cause != null; cause = cause.getCause()) {
                if (cause instanceof ActiveMQDuplicateIdException) {
                    return true;
                }
            }
            return false;
        }

        /** Else it would be listed again at the next start. */
        @Override
        public CompletableFuture<Void> discard(DeadLetter letter) {
            return transacted(session -> takeOut(session, letter));
        }
    }

    private interface Work {
        void with(Session session) throws JMSException;
    }

    private CompletableFuture<Void> transacted(Work work) {
        return CompletableFuture.runAsync(
                () -> {
                    broker.trouble().ifPresent(trouble -> {
                        throw new AwayException(trouble, null);
                    });
                    try (Connection connection = broker.connectAside();
                            Session session = connection.createSession(true, Session.SESSION_TRANSACTED)) {
                        connection.start();
                        work.with(session);
                        session.commit();
                    } catch (JMSException e) {
                        throw isAway()
                                ? new AwayException("the connection to the JMS broker broke: " + e.getMessage(), e)
                                : new IllegalStateException("the JMS broker refused: " + e.getMessage(), e);
                    }
                },
                thread);
    }

    /** That a connection broke may be known to this only after those who used it. */
    private boolean isAway() {
        if (broker.trouble().isPresent()) {
            return true;
        }
        try (Connection connection = broker.connectAside()) {
            connection.start();
            return false;
        } catch (JMSException e) {
            return true;
        }
    }

    private static void takeOut(Session session, DeadLetter letter) throws JMSException {
        Optional<String> selector = selector(letter.headers());
        if (selector.isEmpty()) {
            return;
        }
        try (MessageConsumer consumer =
                session.createConsumer(session.createQueue(JmsDeadLetters.QUEUE), selector.get())) {
            // Not there when somebody took it, or when it was replayed before: then only the copy here is sent.
            consumer.receive(200);
        }
    }

    private static Optional<String> selector(Map<String, String> headers) {
        String id = headers.getOrDefault("JMSMessageID", "");
        if (id.startsWith("ID:")) {
            // Each subscription of a topic gives up the same message.
            String queue = headers.get(ORIGINAL_QUEUE);
            return Optional.of("JMSMessageID = " + quoted(id)
                    + (queue == null ? "" : " AND " + ORIGINAL_QUEUE + " = " + quoted(queue)));
        }
        // Its sender gave it no id.
        return Optional.ofNullable(headers.get(ORIGINAL_NUMBER)).map(number -> ORIGINAL_NUMBER + " = " + number);
    }

    private static String quoted(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private static Destination whereItCameFrom(Session session, DeadLetter letter) throws JMSException {
        String address = letter.headers().getOrDefault(ORIGINAL_ADDRESS, letter.source());
        String queue = letter.headers().getOrDefault(ORIGINAL_QUEUE, address);
        String name = queue.equals(address) ? queue : address + "::" + queue;
        boolean ofTopic = String.valueOf(RoutingType.MULTICAST.getType())
                .equals(letter.headers().get(ORIGINAL_ROUTING));
        return ofTopic ? session.createTopic(name) : session.createQueue(name);
    }

    private static Message again(Session session, DeadLetter letter) throws JMSException {
        Message message;
        if (letter.base64()) {
            BytesMessage bytes = session.createBytesMessage();
            bytes.writeBytes(Base64.getDecoder().decode(letter.body()));
            message = bytes;
        } else {
            message = session.createTextMessage(letter.body());
        }
        for (Map.Entry<String, String> header : letter.headers().entrySet()) {
            String name = header.getKey();
            boolean ofTheBroker = name.startsWith("_AMQ") || name.startsWith("JMS") && !name.equals("JMSXGroupID");
            if (!ofTheBroker) {
                message.setStringProperty(name, header.getValue());
            }
        }
        message.setStringProperty(ORIGIN, letter.origin());
        // The broker takes it once for each time that it was given up.
        message.setStringProperty(
                org.apache.activemq.artemis.api.core.Message.HDR_DUPLICATE_DETECTION_ID.toString(),
                letter.id() + '/' + letter.receivedAt().toEpochMilli());
        message.setJMSCorrelationID(letter.headers().get("JMSCorrelationID"));
        message.setJMSType(letter.headers().get("JMSType"));
        String replyTo = letter.headers().get("JMSReplyTo");
        if (replyTo != null) {
            message.setJMSReplyTo(JmsHeaders.destination(replyTo));
        }
        return message;
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
