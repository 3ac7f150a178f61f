package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.support.LoopThread;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.ActiveMQObjectClosedException;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ActiveMQClient;
import org.apache.activemq.artemis.api.core.client.ClientConsumer;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.api.jms.ActiveMQJMSConstants;
import org.apache.activemq.artemis.jms.client.ActiveMQSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Receives messages, handles many concurrently, and acknowledges each when handled, in any order. One thread owns the
 * session, because a session is not thread-safe; this thread never waits for a handler. Reconnects when the connection
 * breaks; unacknowledged messages are then delivered again.
 *
 * <p>Reads messages through Artemis' core API: the JMS API reads parts of a message before delivery, and stops for ever
 * at an unreadable one. A message that the handler fails on is set aside, and the next one is received.
 */
public final class JmsReceiver implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JmsReceiver.class);
    private static final int MAX_ACK_BATCH = 100;
    /** Handled messages wait this long for more, because each acknowledgement is a commit at the broker. */
    private static final long MAX_ACK_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private static final long MAX_PAUSE_MILLIS = 5_000;
    private static final long CLOSE_TIMEOUT_MILLIS = 5_000;
    private static final long FIRST_CONNECTION_TIMEOUT_MILLIS = 5_000;

    private final String name;
    private final JmsBroker broker;
    private final Source source;
    private final Handler handler;
    private final int maxInFlight;
    private final BooleanSupplier mayReceive;
    private final LoopThread thread;
    private final DeliveryWatch delivery;
    private final DeliveryPace pace;
    private final CompletableFuture<Void> opened = new CompletableFuture<>();
    private volatile String unavailableReason = "not connected yet";
    private volatile boolean closing;
    private String lastLogged;
    private SimpleString queue;

    /** Makes sure that the queue to receive from exists. */
    @FunctionalInterface
    public interface Source {
        /** Opens the queue. The session is not started, so the consumer gets no message. */
        Opened open(Session session) throws JMSException;
    }

    /**
     * The queue to receive from.
     *
     * @param holder keeps the queue from being deleted until the receiver's consumer is open; then closed
     * @param queue the queue's name at the broker
     */
    public record Opened(MessageConsumer holder, String queue) {}

    /** Handles messages. Called on the session's thread and must not block. */
    public interface Handler {
        /**
         * Completes when the message may be acknowledged. If this method throws or the future fails, the message is set
         * aside.
         */
        CompletableFuture<Void> handle(ReceivedMessage message);

        /** Stores an unhandled message for an operator; completes when the message is durable. */
        CompletableFuture<Void> setAside(ReceivedMessage message, Throwable failure);
    }

    /**
     * @param maxInFlight maximum number of received and unacknowledged messages
     * @param mayReceive called before each message; while false, messages wait at the broker
     */
    public JmsReceiver(
            String name,
            JmsBroker broker,
            int maxInFlight,
            BooleanSupplier mayReceive,
            Source source,
            Handler handler) {
        this.name = name;
        this.broker = broker;
        this.source = source;
        this.handler = handler;
        this.maxInFlight = maxInFlight;
        this.mayReceive = mayReceive;
        this.delivery = new DeliveryWatch(name, broker);
        this.pace = new DeliveryPace(name);
        this.thread = new LoopThread("jms-" + name, this::run, () -> closing);
    }

    /**
     * Starts receiving. Waits up to 5 s for an embedded broker, and not at all for an external one, which may be
     * unavailable for long.
     */
    public JmsReceiver start() {
        thread.start();
        if (broker.embedded().isPresent()) {
            opened.copy()
                    .completeOnTimeout(null, FIRST_CONNECTION_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                    .join();
        }
        return this;
    }

    /** Completes when the queue has been opened for the first time, or when this receiver is closed. */
    CompletableFuture<Void> opened() {
        return opened;
    }

    /** Why no messages are received; empty while receiving works. */
    public Optional<String> unavailableReason() {
        return Optional.ofNullable(unavailableReason)
                .or(() -> Optional.ofNullable(delivery.unavailableReason()))
                .or(() -> Optional.ofNullable(pace.unavailableReason()))
                .or(thread::unavailableReason);
    }

    private void run() {
        long pause = 100;
        while (!closing) {
            try (Connection connection = broker.connectGuarded()) {
                try (Session session = connection.createSession(ActiveMQJMSConstants.INDIVIDUAL_ACKNOWLEDGE);
                        ClientConsumer consumer = consumer(session)) {
                    connection.setExceptionListener(
                            e -> unavailableReason = name + " lost its connection: " + e.getMessage());
                    connection.start();
                    unavailableReason = null;
                    lastLogged = null;
                    opened.complete(null);
                    pause = 100;
                    delivery.notWaiting();
                    receive(((ActiveMQSession) session).getCoreSession(), consumer);
                }
            } catch (JMSException | ActiveMQException | RuntimeException e) {
                if (!closing) {
                    disconnected(e);
                    pause = sleep(pause);
                }
            } catch (InterruptedException e) {
                LOG.debug("receiver woken to close");
            }
        }
    }

    private void disconnected(Exception e) {
        boolean isConnected =
                unavailableReason == null && broker.unavailableReason().isEmpty();
        if (isConnected && e instanceof ActiveMQObjectClosedException) {
            LOG.atDebug().addKeyValue("receiver", name).setCause(e).log("consumer closed by the broker");
            if (pace.closed(String.valueOf(queue))) {
                broker.giveUpFirst(queue);
            }
            return;
        }
        if (broker.unavailableReason().isPresent()) {
            pace.connectionLost();
        }
        unavailableReason = name + " cannot receive: " + e.getMessage();
        // JmsBroker logs an outage once for all receivers. A lasting error is logged once, at the beginning.
        boolean isNews = broker.unavailableReason().isEmpty() && !unavailableReason.equals(lastLogged);
        lastLogged = unavailableReason;
        LOG.atLevel(isNews ? Level.WARN : Level.DEBUG)
                .addKeyValue("receiver", name)
                .addKeyValue("error", String.valueOf(e))
                .log("JMS consumer disconnected; reconnecting");
    }

    private long sleep(long pause) {
        try {
            TimeUnit.MILLISECONDS.sleep(pause);
        } catch (InterruptedException e) {
            LOG.debug("receiver woken to close");
        }
        return Math.min(2 * pause, MAX_PAUSE_MILLIS);
    }

    private ClientConsumer consumer(Session session) throws JMSException, ActiveMQException {
        Opened opening = source.open(session);
        try (MessageConsumer holder = opening.holder()) {
            LOG.trace("the queue of {} is held by {}", name, holder);
            queue = SimpleString.of(opening.queue());
            ClientSession core = ((ActiveMQSession) session).getCoreSession();
            return pace.isSingle()
                    ? core.createConsumer(queue, null, 0, ActiveMQClient.DEFAULT_CONSUMER_MAX_RATE, false)
                    : core.createConsumer(queue);
        }
    }

    private void receive(ClientSession session, ClientConsumer consumer)
            throws ActiveMQException, InterruptedException {
        BlockingQueue<ClientMessage> done = new LinkedBlockingQueue<>();
        boolean isSingle = pace.isSingle();
        int inFlight = 0;
        long acknowledged = System.nanoTime();
        while (!closing && unavailableReason == null) {
            boolean mayTake = inFlight < maxInFlight && pace.mayReceive(inFlight) && mayReceive.getAsBoolean();
            // Short while messages are in flight, so that acknowledgements do not wait long for the next message.
            ClientMessage message = mayTake ? consumer.receive(inFlight > 0 ? 10 : 200) : null;
            if (message != null) {
                inFlight++;
                delivery.delivered();
                pace.received(message.getMessageID());
                handle(ReceivedMessage.of(message)).thenRun(() -> done.add(message));
            }
            if (message == null
                    || done.size() >= MAX_ACK_BATCH
                    || System.nanoTime() - acknowledged >= MAX_ACK_DELAY_NANOS) {
                inFlight -= acknowledge(session, done, mayTake ? 0 : 20);
                acknowledged = System.nanoTime();
            }
            if (isSingle && inFlight == 0) {
                if (message == null && mayTake) {
                    pace.idle();
                }
                if (!pace.isSingle()) {
                    // A new consumer lets the broker send messages ahead again.
                    return;
                }
            }
            if (message == null && !mayTake || inFlight > 0) {
                delivery.notWaiting();
            } else if (message == null && delivery.isStalled(session, queue)) {
                return;
            }
        }
        long until = System.currentTimeMillis() + CLOSE_TIMEOUT_MILLIS;
        while (inFlight > 0 && unavailableReason == null && System.currentTimeMillis() < until) {
            inFlight -= acknowledge(session, done, 50);
        }
    }

    /**
     * Completes when the message may be acknowledged. A message that can be neither handled nor set aside stays at the
     * broker.
     */
    private CompletableFuture<Void> handle(ReceivedMessage message) {
        return begin(() -> handler.handle(message))
                .handle((nothing, failure) -> failure)
                .thenCompose(failure -> failure == null
                        ? CompletableFuture.<Void>completedFuture(null)
                        : begin(() -> handler.setAside(message, failure)))
                .whenComplete((nothing, failure) -> {
                    if (failure != null) {
                        LOG.atError()
                                .addKeyValue("receiver", name)
                                .addKeyValue("messageId", message.id())
                                .setCause(failure)
                                .log("message neither handled nor set aside; the message stays in the queue");
                    }
                });
    }

    private interface Work {
        CompletableFuture<Void> begin();
    }

    private static CompletableFuture<Void> begin(Work work) {
        try {
            return work.begin();
        } catch (Throwable e) {
            // An error, however severe, concerns this message only: later messages must still be received.
            return CompletableFuture.failedFuture(e);
        }
    }

    private static int acknowledge(ClientSession session, BlockingQueue<ClientMessage> done, long waitMillis)
            throws ActiveMQException, InterruptedException {
        ClientMessage first = waitMillis == 0 ? done.poll() : done.poll(waitMillis, TimeUnit.MILLISECONDS);
        if (first == null) {
            return 0;
        }
        List<ClientMessage> batch = new ArrayList<>();
        batch.add(first);
        done.drainTo(batch);
        for (ClientMessage each : batch) {
            each.individualAcknowledge();
        }
        session.commit(session.isBlockOnAcknowledge());
        return batch.size();
    }

    /** Starts closing, without waiting for the end. */
    public void stopAccepting() {
        closing = true;
        opened.complete(null);
    }

    @Override
    public void close() {
        stopAccepting();
        thread.join(Duration.ofMillis(CLOSE_TIMEOUT_MILLIS + 2_000));
    }
}
