package io.caravanserai.ingress;

import com.fasterxml.jackson.core.JsonProcessingException;
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
    private static final long PAUSE_MILLIS = 1_000;

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
                .thenAccept(all -> all.forEach(this::payWhenEnded));
    }

    /** Notes that the sender of a message is to hear of its order; completes when that is durable. */
    CompletableFuture<Void> owe(Map<String, String> headers, String orderId) {
        String replyTo = headers.get("JMSReplyTo");
        if (replyTo == null) {
            return CompletableFuture.completedFuture(null);
        }
        Owed owed = new Owed(orderId, String.valueOf(headers.get("JMSMessageID")), replyTo, correlation(headers));
        return store.<Void>write("owe-reply", orderId, tx -> {
                    tx.update(OWE, orderId, owed.messageId(), replyTo, owed.correlationId(), clock.instant());
                    return null;
                })
                .thenRun(() -> payWhenEnded(owed));
    }

    /** Tells the sender of a message that it is no order. It is told at most once: the dead letter stays. */
    CompletableFuture<Void> refused(Map<String, String> headers, Problem problem) {
        String replyTo = headers.get("JMSReplyTo");
        if (replyTo != null) {
            sender.send(List.of(new Reply(
                            replyTo, correlation(headers), problem.json().toString(), Problem.MEDIA_TYPE)))
                    .whenComplete((nothing, error) -> {
                        if (error != null) {
                            LOG.debug("a refusal could not be told", error);
                        }
                    });
        }
        return CompletableFuture.completedFuture(null);
    }

    private static String correlation(Map<String, String> headers) {
        return headers.getOrDefault("JMSCorrelationID", String.valueOf(headers.get("JMSMessageID")));
    }

    private void payWhenEnded(Owed owed) {
        entry.ended(owed.orderId())
                .thenCompose(nothing -> store.read(tx -> OrderDocument.read(tx, orders, history, owed.orderId())))
                .thenCompose(order -> order.map(found -> sender.send(List.of(reply(owed, found))))
                        .orElseGet(() -> CompletableFuture.completedFuture(null)))
                .handle((nothing, error) -> error)
                .thenAccept(error -> settle(owed, error));
    }

    private void settle(Owed owed, Throwable error) {
        Throwable cause = error instanceof CompletionException ? error.getCause() : error;
        if (cause == null || cause instanceof InvalidDestinationException) {
            // A queue of its own that went with the sender's connection: nobody is there to hear the answer.
            store.write("reply-sent", owed.orderId(), tx -> tx.update(PAID, owed.orderId(), owed.messageId()));
        } else if (!closed) {
            LOG.atWarn()
                    .addKeyValue("orderId", owed.orderId())
                    .addKeyValue("error", DeadLetter.firstLine(cause))
                    .log("an answer could not be sent, trying again");
            CompletableFuture.delayedExecutor(PAUSE_MILLIS, TimeUnit.MILLISECONDS)
                    .execute(() -> payWhenEnded(owed));
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
