package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.jms.ActiveMQJMSConstants;
import org.apache.activemq.artemis.jms.client.ActiveMQMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Receives messages, handles many at once, and acknowledges each when its handling is done, whichever is done first.
 * One thread owns the session, because a session is not for two; it never waits for a handler. Connects again by itself
 * when the connection breaks: what was not acknowledged then comes again.
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
    private final Thread thread;
    private final CompletableFuture<Void> opened = new CompletableFuture<>();
    private volatile String trouble = "not connected yet";
    private volatile boolean closing;

    /** Opens what is received from. */
    @FunctionalInterface
    public interface Source {
        MessageConsumer open(Session session) throws JMSException;
    }

    /** Handles a message on the session's thread as far as that does not block. */
    @FunctionalInterface
    public interface Handler {
        /** Completes when the message may be acknowledged; must never fail, and must not throw. */
        CompletableFuture<Void> handle(Message message) throws JMSException;
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
        this.thread = new Thread(this::run, "jms-" + name);
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
    public Optional<String> trouble() {
        return Optional.ofNullable(trouble);
    }

    private void run() {
        long pause = 100;
        while (!closing) {
            try (Connection connection = broker.connectGuarded()) {
                try (Session session = connection.createSession(ActiveMQJMSConstants.INDIVIDUAL_ACKNOWLEDGE);
                        MessageConsumer consumer = source.open(session)) {
                    connection.setExceptionListener(e -> trouble = name + " lost its connection: " + e.getMessage());
                    connection.start();
                    trouble = null;
                    opened.complete(null);
                    pause = 100;
                    receive(consumer);
                }
            } catch (JMSException | ActiveMQException | RuntimeException e) {
                if (!closing) {
                    trouble = name + " cannot receive: " + e.getMessage();
                    // That the broker is away is told by it, once for all.
                    LOG.atLevel(broker.trouble().isEmpty() ? Level.WARN : Level.DEBUG)
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

    private void receive(MessageConsumer consumer) throws JMSException, ActiveMQException, InterruptedException {
        BlockingQueue<Message> done = new LinkedBlockingQueue<>();
        int inHand = 0;
        long acknowledged = System.nanoTime();
        while (!closing && trouble == null) {
            boolean mayTake = inHand < mostInHand && mayReceive.getAsBoolean();
            // Short while something is in hand, so that acknowledging does not wait long for the next message.
            Message message = mayTake ? consumer.receive(inHand > 0 ? 10 : 200) : null;
            if (message != null) {
                inHand++;
                handler.handle(message).thenRun(() -> done.add(message));
            }
            if (message == null
                    || done.size() >= ACKNOWLEDGED_AT_ONCE
                    || System.nanoTime() - acknowledged >= ACKNOWLEDGED_WITHIN_NANOS) {
                inHand -= acknowledge(done, mayTake ? 0 : 20);
                acknowledged = System.nanoTime();
            }
        }
        long until = System.currentTimeMillis() + CLOSING_MILLIS;
        while (inHand > 0 && trouble == null && System.currentTimeMillis() < until) {
            inHand -= acknowledge(done, 50);
        }
    }

    private static int acknowledge(BlockingQueue<Message> done, long waitMillis)
            throws JMSException, ActiveMQException, InterruptedException {
        Message first = waitMillis == 0 ? done.poll() : done.poll(waitMillis, TimeUnit.MILLISECONDS);
        if (first == null) {
            return 0;
        }
        List<Message> batch = new ArrayList<>();
        done.drainTo(batch);
        for (Message each : batch) {
            ((ActiveMQMessage) each).getCoreMessage().individualAcknowledge();
        }
        // The session commits with this one, and the others with it.
        first.acknowledge();
        return batch.size() + 1;
    }

    /** Begins to close, and does not wait for it. */
    void takeNoMore() {
        closing = true;
        opened.complete(null);
    }

    @Override
    public void close() {
        takeNoMore();
        try {
            thread.join(CLOSING_MILLIS + 2_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
