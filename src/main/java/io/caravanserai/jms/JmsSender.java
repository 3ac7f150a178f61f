package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.Destination;
import jakarta.jms.InvalidDestinationException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageProducer;
import jakarta.jms.ResourceAllocationException;
import jakarta.jms.Session;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends durably: all that waits goes in one transaction, in the order it was given. When that fails, all of it fails,
 * and the next attempt connects anew. Thread-safe; nobody waits but for the answer.
 */
public final class JmsSender implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JmsSender.class);
    private static final int MOST_AT_ONCE = 500;

    private final JmsBroker broker;
    private final Optional<Duration> patience;
    private final BlockingQueue<Parcel> waiting = new LinkedBlockingQueue<>();
    private final Thread thread;
    private Connection connection;
    private Session session;
    private MessageProducer producer;
    /** Queues that have let the present batch wait. */
    private final Set<Destination> blocked = new HashSet<>();

    private Destination sendingTo;
    private volatile String trouble;
    private volatile boolean closed;

    /** Something to send. */
    public interface Outgoing {
        Destination destination(Session session) throws JMSException;

        Message message(Session session) throws JMSException;
    }

    private record Parcel(List<? extends Outgoing> contents, CompletableFuture<Void> sent) {}

    public JmsSender(String name, JmsBroker broker) {
        this(name, broker, Optional.empty());
    }

    /** @param patience with a queue that is full and whose broker has those who send wait: then it fails */
    public JmsSender(String name, JmsBroker broker, Optional<Duration> patience) {
        this.broker = broker;
        this.patience = patience;
        this.thread = new Thread(this::run, "jms-send-" + name);
        thread.setDaemon(true);
    }

    public JmsSender start() {
        thread.start();
        return this;
    }

    /** Completes when the broker holds all of it durably. When it fails, any part may have been sent. */
    public CompletableFuture<Void> send(List<? extends Outgoing> contents) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        if (closed) {
            sent.completeExceptionally(new IllegalStateException("the hub is stopping"));
        } else {
            waiting.add(new Parcel(contents, sent));
        }
        return sent;
    }

    /** Why the last attempt to send failed; empty when it succeeded. */
    public Optional<String> unavailableReason() {
        return Optional.ofNullable(trouble);
    }

    private void run() {
        List<Parcel> batch = new ArrayList<>();
        while (!closed || !waiting.isEmpty()) {
            try {
                batch.add(waiting.take());
                waiting.drainTo(batch, MOST_AT_ONCE);
                transmit(batch);
                trouble = null;
                batch.forEach(parcel -> parcel.sent().complete(null));
            } catch (InterruptedException e) {
                LOG.debug("sender woken to close");
            } catch (JMSException | RuntimeException | Error e) {
                disconnect();
                // Perhaps one of them is at fault: a queue for answers that is gone must not hold up the others.
                batch.forEach(this::transmitAlone);
            }
            batch.clear();
            blocked.clear();
        }
        disconnect();
    }

    private void transmitAlone(Parcel parcel) {
        try {
            transmit(List.of(parcel));
            trouble = null;
            parcel.sent().complete(null);
        } catch (JMSException | RuntimeException | Error e) {
            trouble = e instanceof InvalidDestinationException
                    ? null
                    : "cannot send to the JMS broker: " + e.getMessage();
            disconnect();
            parcel.sent().completeExceptionally(e);
        }
    }

    private void transmit(List<Parcel> batch) throws JMSException {
        if (session == null) {
            connection = broker.connect();
            session = connection.createSession(true, Session.SESSION_TRANSACTED);
            producer = session.createProducer(null);
            producer.setDeliveryMode(DeliveryMode.PERSISTENT);
        }
        for (Parcel parcel : batch) {
            put(parcel);
        }
        session.commit();
    }

    private void put(Parcel parcel) throws JMSException {
        for (Outgoing each : parcel.contents()) {
            sendingTo = each.destination(session);
            if (blocked.contains(sendingTo)) {
                throw full(sendingTo);
            }
            if (TemporaryDestinations.isGone(session, sendingTo)) {
                // Nothing is wrong with the others, nor with the session.
                parcel.sent()
                        .completeExceptionally(new InvalidDestinationException(
                                sendingTo + " is gone, with the connection that made it"));
                return;
            }
            send(each.message(session));
        }
    }

    /** Artemis' client waits without end, and for nobody but who interrupts it. */
    private void send(Message message) throws JMSException {
        if (patience.isEmpty()) {
            producer.send(sendingTo, message);
            return;
        }
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture.delayedExecutor(patience.get().toMillis(), TimeUnit.MILLISECONDS)
                .execute(() -> {
                    if (over.compareAndSet(false, true)) {
                        thread.interrupt();
                    }
                });
        try {
            producer.send(sendingTo, message);
            over.set(true);
        } catch (JMSException | RuntimeException e) {
            if (over.compareAndSet(false, true)) {
                throw e;
            }
            blocked.add(sendingTo);
            throw full(sendingTo);
        }
    }

    private static JMSException full(Destination queue) {
        return new ResourceAllocationException(queue + " is full");
    }

    private void disconnect() {
        try {
            if (connection != null) {
                connection.close();
            }
        } catch (JMSException e) {
            LOG.debug("closing a broken connection", e);
        } finally {
            connection = null;
            session = null;
            producer = null;
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
