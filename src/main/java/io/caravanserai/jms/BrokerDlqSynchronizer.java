package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.deadletter.Replayer;
import io.caravanserai.deadletter.TargetUnavailableException;
import io.caravanserai.support.Utf8;
import jakarta.jms.BytesMessage;
import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.activemq.artemis.api.core.ActiveMQDuplicateIdException;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ClientConsumer;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.jms.client.ActiveMQSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings what the broker itself gave up, such as a command of a flow that failed too often, into the hub's list. The
 * message stays in the queue {@code DLQ} until it is replayed or deleted, so both places tell the same; and so do the
 * copies there of letters that the hub gave up itself.
 */
public final class BrokerDlqSynchronizer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BrokerDlqSynchronizer.class);

    private static final String CHANNEL = "jms-dlq";
    /** Property of a replayed message: should it fail again, it is the same letter. */
    private static final String ORIGIN = "deadLetterOrigin";
    /** Property of a replayed message that only the hub can set: anybody may set the other. */
    private static final String SEAL = "deadLetterSeal";

    private static final SimpleString QUEUE = SimpleString.of(JmsDeadLetters.QUEUE);

    private static final String ORIGINAL_ADDRESS = "_AMQ_ORIG_ADDRESS";
    private static final String ORIGINAL_NUMBER = "_AMQ_ORIG_MESSAGE_ID";
    private static final String ORIGINAL_QUEUE = "_AMQ_ORIG_QUEUE";
    private static final String ORIGINAL_ROUTING = "_AMQ_ORIG_ROUTING_TYPE";
    private static final String EXPIRED = "_AMQ_ACTUAL_EXPIRY";
    private static final int LOOK_MILLIS = 1_000;

    /** Beyond this many new messages the rest waits for the next look. */
    private static final int MOST_FOUND = 10_000;

    private static final long NEXT_WITHIN_MILLIS = 500;
    private static final int MOST_FAILURES = 3;

    private final JmsBroker broker;
    private final DeadLetters letters;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread one = new Thread(work, "jms-dead-letter-watch");
        one.setDaemon(true);
        return one;
    });
    private Set<Long> seen = new HashSet<>();
    private long addedBefore = -1;
    private volatile int failures;

    public BrokerDlqSynchronizer(JmsBroker broker, DeadLetters letters) {
        this.broker = broker;
        this.letters = letters;
        letters.changedAndReplayedBy(CHANNEL, new InQueue());
    }

    public BrokerDlqSynchronizer start() {
        thread.scheduleWithFixedDelay(this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        return this;
    }

    private void look() {
        try {
            if (broker.unavailableReason().isEmpty()) {
                takeOutCopies();
                lookAtAll();
            }
            failures = 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (JMSException | ActiveMQException e) {
            LOG.atDebug().setCause(e).log("the queue of dead letters cannot be looked at");
        } catch (Throwable e) {
            // Whatever it is, the next look is to come.
            failures++;
            LOG.atWarn().setCause(e).log("dead letters of the broker not listed; trying again");
        }
    }

    /** Why dead letters of the broker are not listed at present; empty while all is well. */
    public Optional<String> unavailableReason() {
        return failures < MOST_FAILURES
                ? Optional.empty()
                : Optional.of("dead letters of the JMS broker cannot be listed; the log says why");
    }

    private void lookAtAll() throws Exception {
        long added = broker.embedded()
                .map(embedded -> embedded.everAdded(JmsDeadLetters.QUEUE))
                .orElse(-1L);
        if (added >= 0 && added == addedBefore) {
            return;
        }
        try (Connection connection = broker.connectAside();
                Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE)) {
            ClientSession core = ((ActiveMQSession) session).getCoreSession();
            ClientSession.QueueQuery queue = core.queueQuery(QUEUE);
            if (queue.isExists()) {
                try (ClientConsumer browser = core.createConsumer(QUEUE, null, true)) {
                    connection.start();
                    // The broker says that a queue has been seen to its end before it has sent all of a large message:
                    // how many there are says more.
                    boolean all = lookAt(browser, queue.getMessageCount());
                    addedBefore = all ? added : -1;
                }
            }
        }
    }

    /** False when some were not seen, as when others have them in hand. */
    private boolean lookAt(ClientConsumer browser, long depth) throws Exception {
        Set<Long> present = new HashSet<>();
        int found = 0;
        ClientMessage message = null;
        while (present.size() < depth
                && found < MOST_FOUND
                && (message = browser.receive(NEXT_WITHIN_MILLIS)) != null) {
            long number = message.getMessageID();
            present.add(number);
            if (!seen.contains(number)) {
                ReceivedMessage each = ReceivedMessage.of(message);
                if (!isCopy(each)) {
                    letters.addFound(failed(each, number), ReceivedMessage.ID).get();
                    found++;
                }
            }
        }
        seen = present;
        return present.size() >= depth;
    }

    /** What the broker gave up is no copy, whatever its sender has said. */
    private static boolean isCopy(ReceivedMessage message) {
        return message.headers().containsKey(JmsDeadLetters.LETTER)
                && !message.headers().containsKey(ORIGINAL_ADDRESS);
    }

    /** What breaks off, or is done and not noted, is done again: then there is nothing left to take. */
    private void takeOutCopies() throws InterruptedException {
        try {
            List<String> ids = letters.copiesToLeave().get();
            while (!ids.isEmpty()) {
                takeOut(ids);
                letters.copiesLeft(ids).get();
                ids = letters.copiesToLeave().get();
            }
        } catch (ExecutionException | JMSException | ActiveMQException | RuntimeException e) {
            LOG.atDebug().setCause(e).log("copies of dead letters could not be taken out; it is tried again");
        }
    }

    private void takeOut(List<String> letterIds) throws JMSException, ActiveMQException {
        String theirs = letterIds.stream().collect(Collectors.joining("', '", JmsDeadLetters.LETTER + " IN ('", "')"));
        try (Connection connection = broker.connectAside();
                Session session = connection.createSession(true, Session.SESSION_TRANSACTED)) {
            connection.start();
            takeOut(session, theirs, Integer.MAX_VALUE);
            session.commit();
        }
    }

    /** Takes messages out of the queue of dead letters; none when others took them before. */
    private static void takeOut(Session session, String filter, int most) throws JMSException, ActiveMQException {
        ClientSession core = ((ActiveMQSession) session).getCoreSession();
        if (!core.queueQuery(QUEUE).isExists()) {
            return;
        }
        try (ClientConsumer consumer = core.createConsumer(QUEUE, SimpleString.of(filter))) {
            ClientMessage message = consumer.receive(NEXT_WITHIN_MILLIS);
            for (int taken = 1; message != null; taken++) {
                message.individualAcknowledge();
                message = taken < most ? consumer.receive(NEXT_WITHIN_MILLIS) : null;
            }
        }
    }

    private DeadLetter.Failed failed(ReceivedMessage message, long number)
            throws InterruptedException, ExecutionException {
        Map<String, String> headers = message.headers();
        Optional<String> text = Utf8.text(message.body());
        boolean base64 = text.isEmpty() && message.body() != null;
        boolean expired = headers.containsKey(EXPIRED);
        boolean ofTheBroker = headers.containsKey(ORIGINAL_ADDRESS);
        String reason = expired ? "expired" : "delivery-failed";
        String error = expired
                ? "the message expired before anybody took it"
                : "whoever received it gave it back too often; their log says why";
        return new DeadLetter.Failed(
                origin(message, number),
                CHANNEL,
                headers.getOrDefault(ORIGINAL_QUEUE, headers.getOrDefault(ORIGINAL_ADDRESS, JmsDeadLetters.QUEUE)),
                headers.get(JmsHeaders.CLOUD_EVENTS + "type"),
                // Programs that put messages here themselves say why; the broker does not, and a sender may lie.
                ofTheBroker ? reason : headers.getOrDefault("reason", reason),
                message.fault().orElse(ofTheBroker ? error : headers.getOrDefault("error", error)),
                headers,
                base64 ? Base64.getEncoder().encodeToString(message.body()) : text.orElse(null),
                base64);
    }

    /** The letter that a message was sent again for, when the hub did so; else the message is a letter of its own. */
    private String origin(ReceivedMessage message, long number) throws InterruptedException, ExecutionException {
        String origin = message.headers().get(ORIGIN);
        boolean isReplay = origin != null
                && letters.seals()
                        .isGenuine(origin, message.headers().get(SEAL), message.body())
                        .get();
        // Another broker may number its messages as the one before it.
        return isReplay ? origin : CHANNEL + ':' + number + ':' + message.id();
    }

    private final class InQueue implements Replayer {
        /** Takes the message out of the queue of dead letters and sends it to where it came from, in one transaction. */
        @Override
        public CompletableFuture<Void> replay(DeadLetter letter) {
            CompletableFuture<Void> sent = letters.seals()
                    .of(letter)
                    .thenCompose(seal -> transacted(session -> {
                        takeOut(session, letter);
                        try (MessageProducer producer = session.createProducer(whereItCameFrom(session, letter))) {
                            producer.send(again(session, letter, seal));
                        }
                    }));
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
        void with(Session session) throws JMSException, ActiveMQException;
    }

    private CompletableFuture<Void> transacted(Work work) {
        return CompletableFuture.runAsync(
                () -> {
                    broker.unavailableReason().ifPresent(trouble -> {
                        throw new TargetUnavailableException(trouble, null);
                    });
                    try (Connection connection = broker.connectAside();
                            Session session = connection.createSession(true, Session.SESSION_TRANSACTED)) {
                        connection.start();
                        work.with(session);
                        session.commit();
                    } catch (JMSException | ActiveMQException e) {
                        throw isAway()
                                ? new TargetUnavailableException(
                                        "the connection to the JMS broker broke: " + e.getMessage(), e)
                                : new IllegalStateException("the JMS broker refused: " + e.getMessage(), e);
                    }
                },
                thread);
    }

    /** That a connection broke may be known to this only after those who used it. */
    private boolean isAway() {
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

    private static void takeOut(Session session, DeadLetter letter) throws JMSException, ActiveMQException {
        Optional<String> filter = filter(letter.headers());
        if (filter.isPresent()) {
            // Not there when somebody took it, or when it was replayed before: then only the copy here is sent.
            takeOut(session, filter.get(), 1);
        }
    }

    private static Optional<String> filter(Map<String, String> headers) {
        // Each subscription of a topic gives up the same message.
        String queue = headers.get(ORIGINAL_QUEUE);
        String ofQueue = queue == null ? "" : " AND " + ORIGINAL_QUEUE + " = " + quoted(queue);
        String id = headers.getOrDefault(ReceivedMessage.ID, "");
        String number = headers.get(ORIGINAL_NUMBER);
        if (id.startsWith("ID:") && !headers.containsKey(ReceivedMessage.AMQP_ID)) {
            return Optional.of("AMQUserID = " + quoted(id) + ofQueue);
        }
        // Its sender gave it no id, or one that the broker does not select by.
        return Optional.ofNullable(number).map(it -> ORIGINAL_NUMBER + " = " + it + ofQueue);
    }

    private static String quoted(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private static Destination whereItCameFrom(Session session, DeadLetter letter) throws JMSException {
        String address = letter.headers().getOrDefault(ORIGINAL_ADDRESS, letter.source());
        String queue = letter.headers().getOrDefault(ORIGINAL_QUEUE, address);
        if (address.startsWith("activemq.") || address.startsWith("$")) {
            throw new IllegalStateException("nothing is sent to the address " + address + " of the broker itself");
        }
        String name = queue.equals(address) ? queue : address + "::" + queue;
        boolean ofTopic = String.valueOf(RoutingType.MULTICAST.getType())
                .equals(letter.headers().get(ORIGINAL_ROUTING));
        return ofTopic ? session.createTopic(name) : session.createQueue(name);
    }

    private static Message again(Session session, DeadLetter letter, String seal) throws JMSException {
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
        message.setStringProperty(SEAL, seal);
        message.setStringProperty(
                org.apache.activemq.artemis.api.core.Message.HDR_DUPLICATE_DETECTION_ID.toString(),
                duplicateId(letter));
        message.setJMSCorrelationID(letter.headers().get("JMSCorrelationID"));
        message.setJMSType(letter.headers().get("JMSType"));
        Optional<ReplyAddress> replyTo = ReplyAddress.of(letter.headers()).filter(ReplyAddress::isPrefixed);
        if (replyTo.isPresent()) {
            message.setJMSReplyTo(replyTo.get().prefixed());
        }
        return message;
    }

    /**
     * The broker takes a message again once for each time that it was given up. Hubs that share the queue of dead letters
     * have each a letter of one message, so its number there counts, not the letter.
     */
    private static String duplicateId(DeadLetter letter) {
        String number = letter.headers().get(ReceivedMessage.NUMBER);
        return number == null
                ? letter.id() + '/' + letter.receivedAt().toEpochMilli()
                : "dead-letter/" + number + '/' + letter.headers().get(ReceivedMessage.ID);
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
