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
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ClientConsumer;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.api.jms.ActiveMQJMSConstants;
import org.apache.activemq.artemis.jms.client.ActiveMQSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Receives messages, handles many at once, and acknowledges each when its handling is done, whichever is done first.
 * One thread owns the session, because a session is not for two; it never waits for a handler. Connects again by itself
 * when the connection breaks: what was not acknowledged then comes again.
 *
 * <p>Messages are read by Artemis' own interface: that of JMS reads parts of a message before it hands it over, and stops
 * for ever at one that it cannot read. A message that its handler fails on is set aside, and the next one is received.
 */
public final class JmsReceiver implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JmsReceiver.class);
    private static final int ACKNOWLEDGED_AT_ONCE = 100;
    /** What is done waits so long for others, for each acknowledgement is a commit at the broker. */
    private static final long ACKNOWLEDGED_WITHIN_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private static final long LONGEST_PAUSE_MILLIS = 5_000;
    private static final long CLOSING_MILLIS = 5_000;
    private static final long FIRST_CONNECTION_MILLIS = 5_000;

    private final String name;
    private final JmsBroker broker;
    private final Source source;
    private final Handler handler;
    private final int mostInHand;
    private final BooleanSupplier mayReceive;
    private final LoopThread thread;
    private final DeliveryWatch delivery;
    private final CompletableFuture<Void> opened = new CompletableFuture<>();
    private volatile String trouble = "not connected yet";
    private volatile boolean closing;
    private String told;
    private SimpleString queue;

    /** Sees to it that what is received from is there. */
    @FunctionalInterface
    public interface Source {
        /** The session is not started, so the consumer gets no message. */
        Opened open(Session session) throws JMSException;
    }

    /**
     * What is received from.
     *
     * @param holder keeps the queue from being deleted until it is received from; closed then
     * @param queue as it is named at the broker
     */
    public record Opened(MessageConsumer holder, String queue) {}

    /** Handles messages on the session's thread as far as that does not block. */
    public interface Handler {
        /** Completes when the message may be acknowledged. When it throws or fails the message is set aside. */
        CompletableFuture<Void> handle(ReceivedMessage message);

        /** Keeps a message that was not handled for a person; completes when that is durable. */
        CompletableFuture<Void> setAside(ReceivedMessage message, Throwable failure);
    }

    /**
     * @param mostInHand messages received and not yet acknowledged
     * @param mayReceive asked before each message; while it says no, messages wait at the broker
     */
    public JmsReceiver(
            String name, JmsBroker broker, int mostInHand, BooleanSupplier mayReceive, Source source, Handler handler) {
        this.name = name;
        this.broker = broker;
        this.source = source;
        this.handler = handler;
        this.mostInHand = mostInHand;
        this.mayReceive = mayReceive;
        this.delivery = new DeliveryWatch(name, broker);
        this.thread = new LoopThread("jms-" + name, this::run, () -> closing);
    }

    /** Begins to receive; a broker in this process is waited for a moment, one outside may be away for long. */
    public JmsReceiver start() {
        thread.start();
        if (broker.embedded().isPresent()) {
            opened.copy()
                    .completeOnTimeout(null, FIRST_CONNECTION_MILLIS, TimeUnit.MILLISECONDS)
                    .join();
        }
        return this;
    }

    /** Completes when what is received from has been opened for the first time, or when this is closed. */
    CompletableFuture<Void> opened() {
        return opened;
    }

    /** Why nothing is received at present; empty while all is well. */
    public Optional<String> unavailableReason() {
        return Optional.ofNullable(trouble)
                .or(() -> Optional.ofNullable(delivery.unavailableReason()))
                .or(thread::unavailableReason);
    }

    private void run() {
        long pause = 100;
        while (!closing) {
            try (Connection connection = broker.connectGuarded()) {
                try (Session session = connection.createSession(ActiveMQJMSConstants.INDIVIDUAL_ACKNOWLEDGE);
                        ClientConsumer consumer = consumer(session)) {
                    connection.setExceptionListener(e -> trouble = name + " lost its connection: " + e.getMessage());
                    connection.start();
                    trouble = null;
                    told = null;
                    opened.complete(null);
                    pause = 100;
                    delivery.notWaiting();
                    receive(((ActiveMQSession) session).getCoreSession(), consumer);
                }
            } catch (JMSException | ActiveMQException | RuntimeException e) {
                if (!closing) {
                    trouble = name + " cannot receive: " + e.getMessage();
                    // That the broker is away is told by it, once for all; and what goes on, when it begins.
                    boolean isNews = broker.unavailableReason().isEmpty() && !trouble.equals(told);
                    told = trouble;
                    LOG.atLevel(isNews ? Level.WARN : Level.DEBUG)
                            .addKeyValue("receiver", name)
                            .addKeyValue("error", String.valueOf(e))
                            .log("receiving broke off, connecting again");
                    pause = sleep(pause);
                }
            } catch (InterruptedException e) {
                LOG.debug("receiver woken to close");
            }
        }
    }

    private long sleep(long pause) {
        try {
            TimeUnit.MILLISECONDS.sleep(pause);
        } catch (InterruptedException e) {
            LOG.debug("receiver woken to close");
        }
        return Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
    }

    private ClientConsumer consumer(Session session) throws JMSException, ActiveMQException {
        Opened opening = source.open(session);
        try (MessageConsumer holder = opening.holder()) {
            LOG.trace("the queue of {} is there as long as {} is", name, holder);
            queue = SimpleString.of(opening.queue());
            return ((ActiveMQSession) session).getCoreSession().createConsumer(queue);
        }
    }

    private void receive(ClientSession session, ClientConsumer consumer)
            throws ActiveMQException, InterruptedException {
        BlockingQueue<ClientMessage> done = new LinkedBlockingQueue<>();
        int inHand = 0;
        long acknowledged = System.nanoTime();
        while (!closing && trouble == null) {
            boolean mayTake = inHand < mostInHand && mayReceive.getAsBoolean();
            // Short while something is in hand, so that acknowledging does not wait long for the next message.
            ClientMessage message = mayTake ? consumer.receive(inHand > 0 ? 10 : 200) : null;
            if (message != null) {
                inHand++;
                delivery.delivered();
                handle(ReceivedMessage.of(message)).thenRun(() -> done.add(message));
            }
            if (message == null
                    || done.size() >= ACKNOWLEDGED_AT_ONCE
                    || System.nanoTime() - acknowledged >= ACKNOWLEDGED_WITHIN_NANOS) {
                inHand -= acknowledge(session, done, mayTake ? 0 : 20);
                acknowledged = System.nanoTime();
            }
            if (message == null && !mayTake || inHand > 0) {
                delivery.notWaiting();
            } else if (message == null && delivery.isStalled(session, queue)) {
                return;
            }
        }
        long until = System.currentTimeMillis() + CLOSING_MILLIS;
        while (inHand > 0 && trouble == null && System.currentTimeMillis() < until) {
            inHand -= acknowledge(session, done, 50);
        }
    }

    /** Completes when the message may be acknowledged; a message that cannot even be set aside stays at the broker. */
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
                                .log("message neither handled nor set aside; it stays in its queue");
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
            // Of this message alone, however bad: the others behind it are to be received.
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

    /** Begins to close, and does not wait for it. */
    public void stopAccepting() {
        closing = true;
        opened.complete(null);
    }

    @Override
    public void close() {
        stopAccepting();
        thread.join(Duration.ofMillis(CLOSING_MILLIS + 2_000));
    }
}
