package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.deadletter.Replayer;
import io.caravanserai.deadletter.TargetUnavailableException;
import io.caravanserai.support.PeriodicTask;
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
 * Adds messages that the broker gave up, such as a flow's command that failed too often, to the hub's list of dead
 * letters. A message stays in the queue {@code DLQ} until replayed or deleted, so list and queue agree. The same holds
 * for copies in {@code DLQ} of dead letters from the hub.
 */
public final class BrokerDlqSynchronizer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BrokerDlqSynchronizer.class);

    private static final String CHANNEL = "jms-dlq";
    /** Property of a replayed message: after another failure the message is the same dead letter. */
    private static final String ORIGIN = "deadLetterOrigin";
    /** Property of a replayed message that only the hub can produce; every sender can set {@link #ORIGIN}. */
    private static final String SEAL = "deadLetterSeal";

    private static final SimpleString QUEUE = SimpleString.of(JmsDeadLetters.QUEUE);

    private static final String ORIGINAL_ADDRESS = "_AMQ_ORIG_ADDRESS";
    private static final String ORIGINAL_NUMBER = "_AMQ_ORIG_MESSAGE_ID";
    private static final String ORIGINAL_QUEUE = "_AMQ_ORIG_QUEUE";
    private static final String ORIGINAL_ROUTING = "_AMQ_ORIG_ROUTING_TYPE";
    private static final String EXPIRED = "_AMQ_ACTUAL_EXPIRY";
    private static final int SCAN_INTERVAL_MILLIS = 1_000;

    /** At this many new messages, the rest waits for the next scan. */
    private static final int MAX_NEW_PER_SCAN = 10_000;

    private static final long RECEIVE_TIMEOUT_MILLIS = 500;
    private static final int MAX_FAILURES = 3;

    /** In a row: the broker delivers nothing for a message that cannot be converted to the core protocol. */
    private static final int MAX_UNDELIVERED = 1_000;

    private final JmsBroker broker;
    private final DeadLetters deadLetters;
    private final ScheduledExecutorService thread = PeriodicTask.timer("jms-dead-letter-watch");
    private final UnlistedMessages unlisted = new UnlistedMessages();
    private Set<Long> seen = new HashSet<>();
    private long addedBefore = -1;
    private volatile int failures;

    public BrokerDlqSynchronizer(JmsBroker broker, DeadLetters deadLetters) {
        this.broker = broker;
        this.deadLetters = deadLetters;
        deadLetters.changedAndReplayedBy(CHANNEL, new InQueue());
    }

    public BrokerDlqSynchronizer start() {
        thread.scheduleWithFixedDelay(
                PeriodicTask.surviving("jms-dead-letter-watch", this::scan),
                SCAN_INTERVAL_MILLIS,
                SCAN_INTERVAL_MILLIS,
                TimeUnit.MILLISECONDS);
        return this;
    }

    private void scan() {
        try {
            if (broker.unavailableReason().isEmpty()) {
                removeCopies();
                scanQueue();
            }
            failures = 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (JMSException | ActiveMQException e) {
            LOG.atDebug().setCause(e).log("cannot read the queue DLQ; will retry");
        } catch (Throwable e) {
            // After any error the next scan must run: an exception would end the schedule.
            failures++;
            LOG.atWarn().setCause(e).log("dead letters of the JMS broker not listed; will retry");
        }
    }

    /** Why the broker's dead letters cannot be listed; empty while listing works. */
    public Optional<String> unavailableReason() {
        return failures < MAX_FAILURES
                ? Optional.empty()
                : Optional.of("cannot list the dead letters of the JMS broker; the log says why");
    }

    private void scanQueue() throws Exception {
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
            if (queue.isExists() && unlisted.isScanDue(queue.getMessageCount())) {
                try (ClientConsumer browser = core.createConsumer(QUEUE, null, true)) {
                    connection.start();
                    // The broker reports the end of a queue before sending all of a large message, so the message count
                    // decides.
                    boolean all = listNew(browser, queue.getMessageCount());
                    addedBefore = all ? added : -1;
                }
            }
        }
    }

    /** False if some messages were not seen, for example messages in flight at other consumers. */
    private boolean listNew(ClientConsumer browser, long depth) throws Exception {
        Set<Long> present = new HashSet<>();
        int found = 0;
        ClientMessage message = null;
        while (present.size() < depth && found < MAX_NEW_PER_SCAN && (message = next(browser)) != null) {
            long number = message.getMessageID();
            present.add(number);
            if (!seen.contains(number)) {
                ReceivedMessage each = ReceivedMessage.of(message);
                if (!isCopy(each)) {
                    deadLetters
                            .addFound(failed(each, number), ReceivedMessage.ID)
                            .get();
                    found++;
                }
            }
        }
        seen = present;
        boolean isPartial = found >= MAX_NEW_PER_SCAN;
        unlisted.scanned(depth, isPartial ? 0 : depth - present.size(), found > 0);
        return present.size() >= depth;
    }

    /** The next message; null at the end of the queue. Skips messages that the broker cannot deliver. */
    private static ClientMessage next(ClientConsumer browser) throws ActiveMQException {
        for (int undelivered = 0; undelivered < MAX_UNDELIVERED; undelivered++) {
            ClientMessage message = browser.receiveImmediate();
            if (message != null) {
                return message;
            }
        }
        return browser.receive(RECEIVE_TIMEOUT_MILLIS);
    }

    /** A message that the broker gave up is no copy, whatever properties the sender has set. */
    private static boolean isCopy(ReceivedMessage message) {
        return message.headers().containsKey(JmsDeadLetters.DEAD_LETTER_ID)
                && !message.headers().containsKey(ORIGINAL_ADDRESS);
    }

    /** Repeats a removal that failed or was not recorded. If the copies are already gone, nothing is removed. */
    private void removeCopies() throws InterruptedException {
        try {
            List<String> ids = deadLetters.copiesToLeave().get();
            while (!ids.isEmpty()) {
                remove(ids);
                deadLetters.copiesLeft(ids).get();
                ids = deadLetters.copiesToLeave().get();
            }
        } catch (ExecutionException | JMSException | ActiveMQException | RuntimeException e) {
            LOG.atDebug().setCause(e).log("copies of dead letters not removed from DLQ; will retry");
        }
    }

    private void remove(List<String> deadLetterIds) throws JMSException, ActiveMQException {
        String selector = deadLetterIds.stream()
                .collect(Collectors.joining("', '", JmsDeadLetters.DEAD_LETTER_ID + " IN ('", "')"));
        try (Connection connection = broker.connectAside();
                Session session = connection.createSession(true, Session.SESSION_TRANSACTED)) {
            connection.start();
            remove(session, selector, Integer.MAX_VALUE);
            session.commit();
        }
    }

    /**
     * Removes up to the given number of messages from {@code DLQ}; none if other consumers took the messages first.
     */
    private static void remove(Session session, String filter, int limit) throws JMSException, ActiveMQException {
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

    private DeadLetter.Failed failed(ReceivedMessage message, long number)
            throws InterruptedException, ExecutionException {
        Map<String, String> headers = message.headers();
        Optional<String> text = Utf8.text(message.body());
        boolean base64 = text.isEmpty() && message.body() != null;
        boolean expired = headers.containsKey(EXPIRED);
        boolean isGivenUpByBroker = headers.containsKey(ORIGINAL_ADDRESS);
        String reason = expired ? "expired" : "delivery-failed";
        String error = expired
                ? "the message expired before a consumer took it"
                : "delivery failed too often; the consumer's log says why";
        return new DeadLetter.Failed(
                origin(message, number),
                CHANNEL,
                headers.getOrDefault(ORIGINAL_QUEUE, headers.getOrDefault(ORIGINAL_ADDRESS, JmsDeadLetters.QUEUE)),
                headers.get(JmsHeaders.CLOUD_EVENTS + "type"),
                // A program that puts a message into DLQ adds a reason. The broker adds none, and a sender's value is
                // not trusted.
                isGivenUpByBroker ? reason : headers.getOrDefault("reason", reason),
                message.fault().orElse(isGivenUpByBroker ? error : headers.getOrDefault("error", error)),
                headers,
                base64 ? Base64.getEncoder().encodeToString(message.body()) : text.orElse(null),
                base64);
    }

    /**
     * The origin of the dead letter that the hub replayed as this message; otherwise an origin for a new dead letter.
     */
    private String origin(ReceivedMessage message, long number) throws InterruptedException, ExecutionException {
        String origin = message.headers().get(ORIGIN);
        boolean isReplay = origin != null
                && deadLetters
                        .seals()
                        .isGenuine(origin, message.headers().get(SEAL), message.body())
                        .get();
        // A new broker may repeat the numbers of an earlier broker.
        return isReplay ? origin : CHANNEL + ':' + number + ':' + message.id();
    }

    private final class InQueue implements Replayer {
        /** Moves the message from {@code DLQ} back to the source, in one transaction. */
        @Override
        public CompletableFuture<Void> replay(DeadLetter letter) {
            CompletableFuture<Void> sent = deadLetters
                    .seals()
                    .of(letter)
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
    }

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
                thread);
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

    private static Message replayMessage(Session session, DeadLetter letter, String seal) throws JMSException {
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
     * The broker accepts one replay for each time that the message was given up. Hubs that share {@code DLQ} each have
     * a dead letter for the same message, so the id contains the message's number there, not the dead letter's id.
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
