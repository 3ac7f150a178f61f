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
 * Answers to senders of orders over JMS who gave a {@code JMSReplyTo}: the order when it has ended, or the problem. What
 * is owed is stored before the order's message is acknowledged, so an answer comes after a crash too. Thread-safe.
 */
public final class JmsReplies implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JmsReplies.class);

    /** With a queue that is full: others wait for their answers meanwhile. */
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

    /** Beyond this many failures, while the broker runs and the queue is not full, the address is at fault. */
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

    /** Messages whose refusal has been told, the last ones: a message may come from two queues. */
    private final Set<String> refusals = Collections.synchronizedSet(Collections.newSetFromMap(new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > MAX_REFUSALS_REMEMBERED;
        }
    }));

    private volatile boolean closed;

    /** @param ofTheHub where no answer goes */
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
     * What tells a sender to which of its messages an answer belongs.
     *
     * @param isBytes whether the id is base64 of the bytes that the sender gave
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

    /** Takes up what was owed when the process before this one ended; tries again while the store cannot be read. */
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

    /** Notes that the sender of a message is to hear of its order; completes when that is durable. */
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

    /** Tells the sender of a message that it is no order. It is told at most once: the dead letter stays. */
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

    /** Empty also when it names what the hub itself listens to: an answer there would be garbage, or a lie to others. */
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

    /** Nothing is sent before that time to a queue that did not take an answer, as long as it is full, say. */
    private record Rest(Duration pause, Instant until) {
        Rest longer(Instant now) {
            Duration twice = pause.multipliedBy(2);
            Duration longer = twice.compareTo(LONGEST_PAUSE) < 0 ? twice : LONGEST_PAUSE;
            return new Rest(longer, now.plus(longer));
        }
    }

    /** How long an answer must wait for its queue; zero when it may try. */
    private Duration rest(ReplyAddress queue) {
        Rest rest = resting.get(queue);
        if (rest == null) {
            return Duration.ZERO;
        }
        Instant now = clock.instant();
        Duration left = Duration.between(now, rest.until());
        // One tries, and the others wait for what comes of it: thousands may be owed there.
        return left.isNegative() && resting.replace(queue, rest, rest.longer(now))
                ? Duration.ZERO
                : left.compareTo(FIRST_PAUSE) < 0 ? FIRST_PAUSE : left;
    }

    private void settle(Owed owed, Throwable error) {
        Throwable cause = error instanceof CompletionException ? error.getCause() : error;
        // Invalid is a queue that went with the sender's connection: nobody is there to hear the answer.
        boolean isOver = cause == null || cause instanceof InvalidDestinationException || isGivenUp(owed, cause);
        if (isOver) {
            resting.remove(owed.replyTo());
            store.write(
                    "reply-sent",
                    owed.orderId(),
                    tx -> tx.update(SENT, clock.instant(), owed.orderId(), owed.messageId()));
        } else if (!closed) {
            // That the broker is away is told elsewhere, once for all answers.
            LOG.atLevel(OutageLog.isAnyPartAway() ? Level.DEBUG : Level.WARN)
                    .addKeyValue("orderId", owed.orderId())
                    .addKeyValue("error", DeadLetter.firstLine(cause))
                    .log("an answer could not be sent, trying again");
            resting.putIfAbsent(
                    owed.replyTo(), new Rest(FIRST_PAUSE, clock.instant().plus(FIRST_PAUSE)));
            payAfter(FIRST_PAUSE, owed);
        }
    }

    /** Whether an answer fails although nothing that it needs is away or full: then it will fail again. */
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

    /** Forgets some of the replies that were sent before that; false when there are no more. */
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

    /** What is still owed is paid after the next start. */
    @Override
    public void close() {
        closed = true;
        sender.close();
    }
}
