package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.support.PeriodicTask;
import io.caravanserai.support.Utf8;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.activemq.artemis.api.core.ActiveMQException;
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
    private static final SimpleString QUEUE = SimpleString.of(JmsDeadLetters.QUEUE);

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
        deadLetters.changedAndReplayedBy(CHANNEL, new BrokerDlqReplayer(broker, deadLetters.seals(), thread));
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
                && !message.headers().containsKey(BrokerDlqReplayer.ORIGINAL_ADDRESS);
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
            BrokerDlqReplayer.remove(session, selector, Integer.MAX_VALUE);
            session.commit();
        }
    }

    private DeadLetter.Failed failed(ReceivedMessage message, long number)
            throws InterruptedException, ExecutionException {
        Map<String, String> headers = message.headers();
        Optional<String> text = Utf8.text(message.body());
        boolean base64 = text.isEmpty() && message.body() != null;
        boolean expired = headers.containsKey(EXPIRED);
        boolean isGivenUpByBroker = headers.containsKey(BrokerDlqReplayer.ORIGINAL_ADDRESS);
        String reason = expired ? "expired" : "delivery-failed";
        String error = expired
                ? "the message expired before a consumer took it"
                : "delivery failed too often; the consumer's log says why";
        return new DeadLetter.Failed(
                origin(message, number),
                CHANNEL,
                headers.getOrDefault(
                        BrokerDlqReplayer.ORIGINAL_QUEUE,
                        headers.getOrDefault(BrokerDlqReplayer.ORIGINAL_ADDRESS, JmsDeadLetters.QUEUE)),
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
        String origin = message.headers().get(BrokerDlqReplayer.ORIGIN);
        boolean isReplay = origin != null
                && deadLetters
                        .seals()
                        .isGenuine(origin, message.headers().get(BrokerDlqReplayer.SEAL), message.body())
                        .get();
        // A new broker may repeat the numbers of an earlier broker.
        return isReplay ? origin : CHANNEL + ':' + number + ':' + message.id();
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
