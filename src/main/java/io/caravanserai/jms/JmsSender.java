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
 * Sends durably: all waiting requests go in one transaction, in the order given. If the transaction fails, the sender
 * reconnects and sends each request alone. Thread-safe; never blocks the caller.
 */
public final class JmsSender implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JmsSender.class);
    private static final int MAX_BATCH = 500;

    private final JmsBroker broker;
    private final Optional<Duration> fullQueueTimeout;
    private final BlockingQueue<SendRequest> waiting = new LinkedBlockingQueue<>();
    private final Thread thread;
    private Connection connection;
    private Session session;
    private MessageProducer producer;
    /** Queues that blocked a send of the current batch. */
    private final Set<Destination> blocked = new HashSet<>();

    private Destination sendingTo;
    private volatile String unavailableReason;
    private volatile boolean closed;

    /** A message to send. */
    public interface Outgoing {
        Destination destination(Session session) throws JMSException;

        Message message(Session session) throws JMSException;
    }

    private record SendRequest(List<? extends Outgoing> messages, CompletableFuture<Void> sent) {}

    public JmsSender(String name, JmsBroker broker) {
        this(name, broker, Optional.empty());
    }

    /**
     * @param fullQueueTimeout how long a send may block because the queue is full; then the send fails. Empty: without
     *     limit
     */
    public JmsSender(String name, JmsBroker broker, Optional<Duration> fullQueueTimeout) {
        this.broker = broker;
        this.fullQueueTimeout = fullQueueTimeout;
        this.thread = new Thread(this::run, "jms-send-" + name);
        thread.setDaemon(true);
    }

    public JmsSender start() {
        thread.start();
        return this;
    }

    /** Completes when the broker has stored all messages durably. On failure, any part may have been sent. */
    public CompletableFuture<Void> send(List<? extends Outgoing> messages) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        if (closed) {
            sent.completeExceptionally(new IllegalStateException("the hub is stopping"));
        } else {
            waiting.add(new SendRequest(messages, sent));
        }
        return sent;
    }

    /** Why the last attempt to send failed; empty after a success. */
    public Optional<String> unavailableReason() {
        return Optional.ofNullable(unavailableReason);
    }

    private void run() {
        List<SendRequest> batch = new ArrayList<>();
        while (!closed || !waiting.isEmpty()) {
            try {
                batch.add(waiting.take());
                waiting.drainTo(batch, MAX_BATCH);
                transmit(batch);
                unavailableReason = null;
                batch.forEach(request -> request.sent().complete(null));
            } catch (InterruptedException e) {
                LOG.debug("sender woken to close");
            } catch (JMSException | RuntimeException | Error e) {
                disconnect();
                // One request may be at fault: a reply queue that is gone must not hold up the other requests.
                batch.forEach(this::transmitAlone);
            }
            batch.clear();
            blocked.clear();
        }
        disconnect();
    }

    private void transmitAlone(SendRequest request) {
        try {
            transmit(List.of(request));
            unavailableReason = null;
            request.sent().complete(null);
        } catch (JMSException | RuntimeException | Error e) {
            unavailableReason = e instanceof InvalidDestinationException
                    ? null
                    : "cannot send to the JMS broker: " + e.getMessage();
            disconnect();
            request.sent().completeExceptionally(e);
        }
    }

    private void transmit(List<SendRequest> batch) throws JMSException {
        if (session == null) {
            connection = broker.connect();
            session = connection.createSession(true, Session.SESSION_TRANSACTED);
            producer = session.createProducer(null);
            producer.setDeliveryMode(DeliveryMode.PERSISTENT);
        }
        for (SendRequest request : batch) {
            put(request);
        }
        session.commit();
    }

    private void put(SendRequest request) throws JMSException {
        for (Outgoing each : request.messages()) {
            sendingTo = each.destination(session);
            if (blocked.contains(sendingTo)) {
                throw full(sendingTo);
            }
            if (TemporaryDestinations.isGone(session, sendingTo)) {
                // The other requests and the session are not affected.
                request.sent()
                        .completeExceptionally(new InvalidDestinationException(sendingTo
                                + " no longer exists: the connection that created the destination has ended"));
                return;
            }
            send(each.message(session));
        }
    }

    /** Artemis' client waits on a full queue without limit; only an interrupt ends the wait. */
    private void send(Message message) throws JMSException {
        if (fullQueueTimeout.isEmpty()) {
            producer.send(sendingTo, message);
            return;
        }
        AtomicBoolean settled = new AtomicBoolean();
        CompletableFuture.delayedExecutor(fullQueueTimeout.get().toMillis(), TimeUnit.MILLISECONDS)
                .execute(() -> {
                    if (settled.compareAndSet(false, true)) {
                        thread.interrupt();
                    }
                });
        try {
            producer.send(sendingTo, message);
            settled.set(true);
        } catch (JMSException | RuntimeException e) {
            if (settled.compareAndSet(false, true)) {
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
            LOG.debug("cannot close a broken connection", e);
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
