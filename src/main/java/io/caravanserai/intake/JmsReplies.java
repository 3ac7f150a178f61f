package io.caravanserai.intake;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.caravanserai.broker.HubAddresses;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.http.Problem;
import io.caravanserai.jms.JmsSender;
import io.caravanserai.jms.ReceivedMessage;
import io.caravanserai.jms.ReplyAddress;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.process.OrderIntake;
import io.caravanserai.service.order.OrderHistory;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import io.caravanserai.store.StoreUnavailableException;
import io.caravanserai.store.Transaction;
import io.caravanserai.support.OutageLog;
import jakarta.jms.Destination;
import jakarta.jms.InvalidDestinationException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.ResourceAllocationException;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Replies to orders over JMS with a {@code JMSReplyTo}: the order once the order has ended, or the problem. A pending
 * reply is stored before the message of the order is acknowledged, so the reply is also sent after a crash.
 * Thread-safe.
 */
public final class JmsReplies implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JmsReplies.class);

    /** Maximum wait for a queue that is full; other replies wait meanwhile. */
    public static final Duration PATIENCE = Duration.ofSeconds(2);

    private static final String OWE = """
            INSERT INTO jms_replies (order_id, message_id, reply_to, correlation_id, correlation_bytes, at)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (order_id, message_id) DO NOTHING
            """;
    private static final String OWED = """
            SELECT order_id, message_id, reply_to, correlation_id, correlation_bytes
            FROM jms_replies WHERE sent_at IS NULL
            """;
    private static final String SENT =
            "UPDATE jms_replies SET sent_at = ? WHERE order_id = ? AND message_id = ? AND sent_at IS NULL";
    private static final String FORGET = """
            DELETE FROM jms_replies WHERE (order_id, message_id) IN
              (SELECT order_id, message_id FROM jms_replies WHERE sent_at < ? LIMIT ?)
            """;
    private static final int FORGOTTEN_AT_ONCE = 500;
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

    /**
     * Number of failures, with a running broker and a queue that is not full, after which the address counts as
     * invalid.
     */
    private static final int MAX_FAILURES = 10;

    private static final int MAX_REFUSALS_REMEMBERED = 1_000;

    private final Store store;
    private final OrderIntake entry;
    private final Orders orders;
    private final OrderHistory history;
    private final JmsSender sender;
    private final Clock clock;
    private final HubAddresses ofTheHub;
    private final Map<ReplyAddress, Rest> resting = new ConcurrentHashMap<>();

    /** The last messages with a sent refusal: two queues may deliver the same message. */
    private final Set<String> refusals = Collections.synchronizedSet(Collections.newSetFromMap(new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > MAX_REFUSALS_REMEMBERED;
        }
    }));

    private volatile boolean closed;

    /** @param ofTheHub addresses that get no reply */
    public JmsReplies(
            Store store,
            OrderIntake entry,
            Orders orders,
            OrderHistory history,
            JmsSender sender,
            HubAddresses ofTheHub,
            Clock clock) {
        this.ofTheHub = ofTheHub;
        this.store = store;
        this.entry = entry;
        this.orders = orders;
        this.history = history;
        this.sender = sender;
        this.clock = clock;
    }

    private record Owed(
            String orderId, String messageId, ReplyAddress replyTo, Correlation correlation, AtomicInteger failures) {
        Owed(String orderId, String messageId, ReplyAddress replyTo, Correlation correlation) {
            this(orderId, messageId, replyTo, correlation, new AtomicInteger());
        }
    }

    /**
     * The correlation id of a reply.
     * @param isBytes whether the id is base64 of the bytes from the sender
     */
    private record Correlation(String id, boolean isBytes) {
        static Correlation of(Map<String, String> headers) {
            String bytes = headers.get(ReceivedMessage.CORRELATION_BYTES);
            return bytes != null
                    ? new Correlation(bytes, true)
                    : new Correlation(
                            headers.getOrDefault("JMSCorrelationID", ReceivedMessage.senderId(headers)), false);
        }

        void putOn(Message message) throws JMSException {
            if (isBytes) {
                message.setJMSCorrelationIDAsBytes(Base64.getDecoder().decode(id));
            } else {
                message.setJMSCorrelationID(id);
            }
        }
    }

    /** Resumes the pending replies of earlier processes. Retries while the store cannot be read. */
    public void resume() {
        store.read(tx -> tx.list(
                        OWED,
                        row -> new Owed(
                                row.getString(1),
                                row.getString(2),
                                new ReplyAddress(row.getString(3)),
                                new Correlation(row.getString(4), row.getInt(5) == 1))))
                .whenComplete((all, failure) -> {
                    if (failure == null) {
                        all.forEach(this::payWhenEnded);
                    } else if (!closed) {
                        LOG.atWarn()
                                .addKeyValue("error", DeadLetter.firstLine(failure))
                                .log("answers owed since an earlier run cannot be read; trying again");
                        CompletableFuture.delayedExecutor(FIRST_PAUSE.toMillis(), TimeUnit.MILLISECONDS)
                                .execute(this::resume);
                    }
                });
    }

    /** Records that the sender of a message waits for a reply. Completes when the record is durable. */
    CompletableFuture<Void> owe(Map<String, String> headers, String orderId) {
        Optional<ReplyAddress> replyTo = replyTo(headers);
        if (replyTo.isEmpty()) {
            return CompletableFuture.completedFuture(null);
        }
        Owed owed = new Owed(orderId, ReceivedMessage.delivered(headers), replyTo.get(), Correlation.of(headers));
        return store.write(
                        "owe-reply",
                        orderId,
                        tx -> tx.update(
                                        OWE,
                                        orderId,
                                        owed.messageId(),
                                        owed.replyTo().text(),
                                        owed.correlation().id(),
                                        owed.correlation().isBytes(),
                                        clock.instant())
                                == 1)
                .thenAccept(isNew -> {
                    if (isNew) {
                        payWhenEnded(owed);
                    }
                });
    }

    /** Replies to the sender that the message is no order. At most once: the dead letter remains. */
    CompletableFuture<Void> refused(Map<String, String> headers, Problem problem) {
        replyTo(headers)
                .filter(to -> refusals.add(ReceivedMessage.delivered(headers)))
                .ifPresent(to -> sender.send(List.of(new Reply(
                                to, Correlation.of(headers), problem.json().toString(), Problem.MEDIA_TYPE)))
                        .whenComplete((nothing, error) -> {
                            if (error != null) {
                                LOG.debug("a refusal could not be told", error);
                            }
                        }));
        return CompletableFuture.completedFuture(null);
    }

    /**
     * Returns the reply address; also empty for an address that the hub itself consumes, where a reply would be taken
     * for an order or for the reply of another sender.
     */
    private Optional<ReplyAddress> replyTo(Map<String, String> headers) {
        Optional<ReplyAddress> replyTo = ReplyAddress.of(headers).filter(ReplyAddress::isValid);
        Optional<ReplyAddress> allowed = replyTo.filter(to -> !ofTheHub.contains(to.name()));
        if (replyTo.isPresent() && allowed.isEmpty()) {
            LOG.atWarn()
                    .addKeyValue("replyTo", replyTo.get().text())
                    .log("an answer is not sent: its sender asked for it at an address of the hub's own");
        }
        return allowed;
    }

    private void payWhenEnded(Owed owed) {
        entry.ended(owed.orderId()).thenRun(() -> pay(owed));
    }

    private void pay(Owed owed) {
        Duration rest = rest(owed.replyTo());
        if (!rest.isZero()) {
            payAfter(rest, owed);
            return;
        }
        store.read(tx -> OrderDocument.read(tx, orders, history, owed.orderId()))
                .thenCompose(order -> order.map(found -> sender.send(List.of(reply(owed, found))))
                        .orElseGet(() -> CompletableFuture.completedFuture(null)))
                .handle((nothing, error) -> error)
                .thenAccept(error -> settle(owed, error));
    }

    private void payAfter(Duration pause, Owed owed) {
        CompletableFuture.delayedExecutor(pause.toMillis(), TimeUnit.MILLISECONDS)
                .execute(() -> pay(owed));
    }

    /** A pause of a reply queue after a failed send, for example while the queue is full. */
    private record Rest(Duration pause, Instant until) {
        Rest longer(Instant now) {
            Duration twice = pause.multipliedBy(2);
            Duration longer = twice.compareTo(LONGEST_PAUSE) < 0 ? twice : LONGEST_PAUSE;
            return new Rest(longer, now.plus(longer));
        }
    }

    /** Returns the remaining pause of the queue; zero when a reply may be sent. */
    private Duration rest(ReplyAddress queue) {
        Rest rest = resting.get(queue);
        if (rest == null) {
            return Duration.ZERO;
        }
        Instant now = clock.instant();
        Duration left = Duration.between(now, rest.until());
        // One reply probes the queue while all others wait: thousands may be pending.
        return left.isNegative() && resting.replace(queue, rest, rest.longer(now))
                ? Duration.ZERO
                : left.compareTo(FIRST_PAUSE) < 0 ? FIRST_PAUSE : left;
    }

    private void settle(Owed owed, Throwable error) {
        Throwable cause = error instanceof CompletionException ? error.getCause() : error;
        // The destination was deleted with the connection of the sender: no consumer is left.
        boolean isOver = cause == null || cause instanceof InvalidDestinationException || isGivenUp(owed, cause);
        if (isOver) {
            resting.remove(owed.replyTo());
            store.write(
                    "reply-sent",
                    owed.orderId(),
                    tx -> tx.update(SENT, clock.instant(), owed.orderId(), owed.messageId()));
        } else if (!closed) {
            // The outage of the broker is logged once, in another place.
            LOG.atLevel(OutageLog.isAnyPartAway() ? Level.DEBUG : Level.WARN)
                    .addKeyValue("orderId", owed.orderId())
                    .addKeyValue("error", DeadLetter.firstLine(cause))
                    .log("an answer could not be sent, trying again");
            resting.putIfAbsent(
                    owed.replyTo(), new Rest(FIRST_PAUSE, clock.instant().plus(FIRST_PAUSE)));
            payAfter(FIRST_PAUSE, owed);
        }
    }

    /**
     * Whether a reply fails although neither the broker nor the store is unavailable and the queue is not full: a retry
     * would fail as well.
     */
    private boolean isGivenUp(Owed owed, Throwable cause) {
        if (closed
                || OutageLog.isAnyPartAway()
                || cause instanceof ResourceAllocationException
                || cause instanceof StoreUnavailableException
                || owed.failures().incrementAndGet() < MAX_FAILURES) {
            return false;
        }
        LOG.atWarn()
                .addKeyValue("orderId", owed.orderId())
                .addKeyValue("replyTo", owed.replyTo().text())
                .addKeyValue("error", DeadLetter.firstLine(cause))
                .log("reply given up after " + MAX_FAILURES + " attempts; the order itself has ended");
        return true;
    }

    /** Deletes a batch of replies sent before the given time; returns false when no more are left. */
    public boolean purgeBatch(Transaction tx, Instant before) throws SQLException {
        return tx.update(FORGET, before, FORGOTTEN_AT_ONCE) == FORGOTTEN_AT_ONCE;
    }

    private static Reply reply(Owed owed, OrderDocument order) {
        try {
            return order.status() == OrderStatus.CANCELLED
                    ? new Reply(
                            owed.replyTo(),
                            owed.correlation(),
                            order.cancelled().json().toString(),
                            Problem.MEDIA_TYPE)
                    : new Reply(
                            owed.replyTo(),
                            owed.correlation(),
                            OrderJson.MAPPER.writeValueAsString(order),
                            "application/json");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an order could not be written as JSON", e);
        }
    }

    private record Reply(ReplyAddress to, Correlation correlation, String body, String mediaType)
            implements JmsSender.Outgoing {
        @Override
        public Destination destination(Session session) throws JMSException {
            return to.destination(session);
        }

        @Override
        public Message message(Session session) throws JMSException {
            TextMessage message = session.createTextMessage(body);
            correlation.putOn(message);
            message.setStringProperty("contentType", mediaType);
            return message;
        }
    }

    /** Pending replies are sent after the next start. */
    @Override
    public void close() {
        closed = true;
        sender.close();
    }
}
