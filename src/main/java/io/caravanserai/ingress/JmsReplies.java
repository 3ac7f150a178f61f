package io.caravanserai.ingress;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.caravanserai.broker.HubAddresses;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.http.Problem;
import io.caravanserai.jms.JmsHeaders;
import io.caravanserai.jms.JmsSender;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.service.order.OrderHistory;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import jakarta.jms.Destination;
import jakarta.jms.InvalidDestinationException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers to senders of orders over JMS who gave a {@code JMSReplyTo}: the order when it has ended, or the problem. What
 * is owed is stored before the order's message is acknowledged, so an answer comes after a crash too. Thread-safe.
 */
public final class JmsReplies implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JmsReplies.class);

    private static final String OWE = """
            INSERT INTO jms_replies (order_id, message_id, reply_to, correlation_id, at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (order_id, message_id) DO NOTHING
            """;
    private static final String OWED = "SELECT order_id, message_id, reply_to, correlation_id FROM jms_replies";
    private static final String PAID = "DELETE FROM jms_replies WHERE order_id = ? AND message_id = ?";
    private static final long FIRST_PAUSE_MILLIS = 1_000;
    private static final long LONGEST_PAUSE_MILLIS = 60_000;

    private final Store store;
    private final OrderEntry entry;
    private final Orders orders;
    private final OrderHistory history;
    private final JmsSender sender;
    private final Clock clock;
    private volatile boolean closed;

    public JmsReplies(
            Store store, OrderEntry entry, Orders orders, OrderHistory history, JmsSender sender, Clock clock) {
        this.store = store;
        this.entry = entry;
        this.orders = orders;
        this.history = history;
        this.sender = sender;
        this.clock = clock;
    }

    private record Owed(String orderId, String messageId, String replyTo, String correlationId) {}

    /** Takes up what was owed when the process before this one ended. */
    public void resume() {
        store.read(tx -> tx.list(
                        OWED, row -> new Owed(row.getString(1), row.getString(2), row.getString(3), row.getString(4))))
                .thenAccept(all -> all.forEach(owed -> payWhenEnded(owed, FIRST_PAUSE_MILLIS)));
    }

    /** Notes that the sender of a message is to hear of its order; completes when that is durable. */
    CompletableFuture<Void> owe(Map<String, String> headers, String orderId) {
        Optional<String> replyTo = replyTo(headers);
        if (replyTo.isEmpty()) {
            return CompletableFuture.completedFuture(null);
        }
        Owed owed = new Owed(orderId, String.valueOf(headers.get("JMSMessageID")), replyTo.get(), correlation(headers));
        return store.<Void>write("owe-reply", orderId, tx -> {
                    tx.update(OWE, orderId, owed.messageId(), owed.replyTo(), owed.correlationId(), clock.instant());
                    return null;
                })
                .thenRun(() -> payWhenEnded(owed, FIRST_PAUSE_MILLIS));
    }

    /** Tells the sender of a message that it is no order. It is told at most once: the dead letter stays. */
    CompletableFuture<Void> refused(Map<String, String> headers, Problem problem) {
        replyTo(headers)
                .ifPresent(to -> sender.send(List.of(new Reply(
                                to, correlation(headers), problem.json().toString(), Problem.MEDIA_TYPE)))
                        .whenComplete((nothing, error) -> {
                            if (error != null) {
                                LOG.debug("a refusal could not be told", error);
                            }
                        }));
        return CompletableFuture.completedFuture(null);
    }

    /** Empty also when it names what the hub itself listens to: an answer there would be garbage, or a lie to others. */
    private static Optional<String> replyTo(Map<String, String> headers) {
        Optional<String> replyTo = Optional.ofNullable(headers.get("JMSReplyTo"));
        Optional<String> allowed =
                replyTo.filter(to -> !HubAddresses.contains(to.substring(to.indexOf("://") + "://".length())));
        if (replyTo.isPresent() && allowed.isEmpty()) {
            LOG.atWarn()
                    .addKeyValue("replyTo", replyTo.get())
                    .log("an answer is not sent: its sender asked for it at an address of the hub's own");
        }
        return allowed;
    }

    private static String correlation(Map<String, String> headers) {
        return headers.getOrDefault("JMSCorrelationID", String.valueOf(headers.get("JMSMessageID")));
    }

    /** @param pause before it is tried again, should it fail: as long as its queue is full, say */
    private void payWhenEnded(Owed owed, long pause) {
        entry.ended(owed.orderId())
                .thenCompose(nothing -> store.read(tx -> OrderDocument.read(tx, orders, history, owed.orderId())))
                .thenCompose(order -> order.map(found -> sender.send(List.of(reply(owed, found))))
                        .orElseGet(() -> CompletableFuture.completedFuture(null)))
                .handle((nothing, error) -> error)
                .thenAccept(error -> settle(owed, pause, error));
    }

    private void settle(Owed owed, long pause, Throwable error) {
        Throwable cause = error instanceof CompletionException ? error.getCause() : error;
        if (cause == null || cause instanceof InvalidDestinationException) {
            // A queue of its own that went with the sender's connection: nobody is there to hear the answer.
            store.write("reply-sent", owed.orderId(), tx -> tx.update(PAID, owed.orderId(), owed.messageId()));
        } else if (!closed) {
            LOG.atWarn()
                    .addKeyValue("orderId", owed.orderId())
                    .addKeyValue("error", DeadLetter.firstLine(cause))
                    .log("an answer could not be sent, trying again");
            CompletableFuture.delayedExecutor(pause, TimeUnit.MILLISECONDS)
                    .execute(() -> payWhenEnded(owed, Math.min(2 * pause, LONGEST_PAUSE_MILLIS)));
        }
    }

    private static Reply reply(Owed owed, OrderDocument order) {
        try {
            return order.status() == OrderStatus.CANCELLED
                    ? new Reply(
                            owed.replyTo(),
                            owed.correlationId(),
                            order.cancelled().json().toString(),
                            Problem.MEDIA_TYPE)
                    : new Reply(
                            owed.replyTo(),
                            owed.correlationId(),
                            OrderJson.MAPPER.writeValueAsString(order),
                            "application/json");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an order could not be written as JSON", e);
        }
    }

    private record Reply(String to, String correlationId, String body, String mediaType) implements JmsSender.Outgoing {
        @Override
        public Destination destination(Session session) {
            return JmsHeaders.destination(to);
        }

        @Override
        public Message message(Session session) throws JMSException {
            TextMessage message = session.createTextMessage(body);
            message.setJMSCorrelationID(correlationId);
            message.setStringProperty("contentType", mediaType);
            return message;
        }
    }

    /** What is still owed is paid after the next start. */
    @Override
    public void close() {
        closed = true;
        sender.close();
    }
}
