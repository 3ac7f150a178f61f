package io.caravanserai.intake;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.http.Problem;
import io.caravanserai.intake.OrderMessages.Taken;
import io.caravanserai.jms.JmsDeadLetters;
import io.caravanserai.jms.JmsReceiver;
import io.caravanserai.jms.ReceivedMessage;
import io.caravanserai.jms.ReplayedId;
import io.caravanserai.jms.ReplyAddress;
import io.caravanserai.process.MessageName;
import io.caravanserai.support.Utf8;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Receives orders from one JMS queue. A message is acknowledged when its order is durable, or when the message is durable
 * among the dead letters. Many messages are in flight at once and share commits.
 */
public final class JmsOrders implements JmsReceiver.Handler, OrderSource {
    private static final Logger LOG = LoggerFactory.getLogger(JmsOrders.class);

    /** The queue of the hub's public contract. */
    public static final String QUEUE = "orders";

    /** Prefix of the subscription to the address of a queue. All hubs share the subscription, whatever their names. */
    private static final String PUBLISHED = "hub-";

    /** The channel of the dead letters of all queues. */
    static final String CHANNEL = "jms-orders";

    private static final int MAX_IN_FLIGHT = 250;
    private static final long PAUSE_MILLIS = 500;

    private final String queue;
    private final Parts parts;
    private final JmsReceiver receiver;
    /** For clients that publish and do not send, as clients of MQTT do: without a subscriber the broker drops orders. */
    private final JmsReceiver published;

    private volatile boolean closed;

    /**
     * What all queues share.
     *
     * @param mayTake called before each message, so that work does not grow in memory while the hub is slow
     */
    public record Parts(
            JmsBroker broker,
            IntakeRoutes routes,
            OrderMessages orders,
            JmsDeadLetters deadLetters,
            JmsReplies replies,
            BooleanSupplier mayTake) {}

    JmsOrders(String queue, Parts parts) {
        this.queue = queue;
        this.parts = parts;
        this.receiver = new JmsReceiver(
                queue,
                parts.broker(),
                MAX_IN_FLIGHT,
                parts.mayTake(),
                session -> new JmsReceiver.Opened(session.createConsumer(session.createQueue(queue)), queue),
                this);
        this.published = new JmsReceiver(
                queue + "-published", parts.broker(), MAX_IN_FLIGHT, parts.mayTake(), this::subscribed, this);
    }

    private JmsReceiver.Opened subscribed(Session session) throws JMSException {
        String subscription = PUBLISHED + queue;
        return new JmsReceiver.Opened(
                session.createSharedDurableConsumer(session.createTopic(queue), subscription), subscription);
    }

    @Override
    public void start() {
        receiver.start();
        published.start();
    }

    @Override
    public Optional<String> unavailableReason() {
        // An outside broker may forbid the subscription; orders then still arrive over the queue.
        return receiver.unavailableReason()
                .or(() -> parts.broker().embedded().flatMap(embedded -> published.unavailableReason()));
    }

    @Override
    public CompletableFuture<Void> handle(ReceivedMessage message) {
        Optional<Taken.Refused> refused = refusedUnread(message);
        dropForeignReplyTo(message.headers());
        return refused.isPresent()
                ? persistently(() -> refuse(message.headers(), message.body(), refused.get()))
                : persistently(() -> take(message.headers(), message.body()));
    }

    private static Optional<Taken.Refused> refusedUnread(ReceivedMessage message) {
        if (message.fault().isPresent()) {
            return Optional.of(new Taken.Refused(
                    "unreadable-message", Problem.of(400, message.fault().get())));
        }
        if (ReplyAddress.of(message.headers()).filter(to -> !to.isValid()).isPresent()) {
            return Optional.of(new Taken.Refused("invalid-reply-to", Problem.of(400, "JMSReplyTo is no destination")));
        }
        return message.isTooLarge() ? Optional.of(OrderMessages.TOO_LARGE) : Optional.empty();
    }

    @Override
    public CompletableFuture<Void> setAside(ReceivedMessage message, Throwable failure) {
        return persistently(() -> refuse(message.headers(), message.body(), OrderMessages.notHandled(failure)));
    }

    /** With API keys, a reply goes only to an address from which the sender of the message may receive. */
    private void dropForeignReplyTo(Map<String, String> headers) {
        Optional<ReplyAddress> replyTo = ReplyAddress.of(headers).filter(ReplyAddress::isValid);
        String sender = headers.get("JMSXUserID");
        if (replyTo.isPresent()
                && !parts.broker().mayBeAnswered(sender, replyTo.get().name())) {
            headers.remove("JMSReplyTo");
            LOG.atWarn()
                    .addKeyValue("messageId", headers.get("JMSMessageID"))
                    .addKeyValue("sender", sender)
                    .addKeyValue("replyTo", replyTo.get().text())
                    .log("no answer will be sent: the sender of the message may not receive there");
        }
    }

    private interface Work {
        CompletableFuture<Void> begin();
    }

    /** Repeats the work until success; the message stays unacknowledged meanwhile. */
    private CompletableFuture<Void> persistently(Work work) {
        return begun(work).handle((nothing, error) -> error).thenCompose(error -> {
            if (error == null) {
                return CompletableFuture.<Void>completedFuture(null);
            }
            if (closed) {
                return new CompletableFuture<>();
            }
            LOG.atWarn()
                    .addKeyValue("error", DeadLetter.firstLine(error))
                    .log("an order cannot be taken from JMS at present, trying again");
            return CompletableFuture.runAsync(
                            () -> {}, CompletableFuture.delayedExecutor(PAUSE_MILLIS, TimeUnit.MILLISECONDS))
                    .thenCompose(nothing -> persistently(work));
        });
    }

    private static CompletableFuture<Void> begun(Work work) {
        try {
            return work.begin();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private CompletableFuture<Void> take(Map<String, String> headers, byte[] body) {
        return submit(headers, body).thenCompose(taken -> {
            if (taken instanceof Taken.Refused refused) {
                return refuse(headers, body, refused);
            }
            return answerLater(headers, taken);
        });
    }

    private CompletableFuture<Taken> submit(Map<String, String> headers, byte[] body) {
        return named(headers, body)
                .thenCompose(message -> parts.routes()
                        .of("jms:" + queue)
                        .map(route -> RoutedMessage.take(route, headers, parts.orders(), message))
                        .orElseGet(() -> parts.orders().take(message)));
    }

    private CompletableFuture<Void> answerLater(Map<String, String> headers, Taken taken) {
        return taken instanceof Taken.Order order
                ? parts.replies().owe(headers, order.orderId())
                : CompletableFuture.completedFuture(null);
    }

    private CompletableFuture<Void> refuse(Map<String, String> headers, byte[] body, Taken.Refused refused) {
        return parts.deadLetters()
                .add(failed(headers, body, refused))
                .thenCompose(id -> parts.replies().refused(headers, refused.problem()));
    }

    /** Takes the message of a dead letter again, as received. */
    @Override
    public CompletableFuture<Void> replay(DeadLetter letter) {
        byte[] body = letter.body() == null
                ? null
                : letter.base64()
                        ? Base64.getDecoder().decode(letter.body())
                        : letter.body().getBytes(StandardCharsets.UTF_8);
        return submit(letter.headers(), body).thenCompose(taken -> {
            if (taken instanceof Taken.Refused refused) {
                return CompletableFuture.failedFuture(new IllegalArgumentException(OrderMessages.error(refused)));
            }
            return answerLater(letter.headers(), taken);
        });
    }

    /** The replay of a message that the broker gave up has the name of the first delivery. */
    private CompletableFuture<OrderMessages.Incoming> named(Map<String, String> headers, byte[] body) {
        return ReplayedId.in(parts.deadLetters().letters().seals(), headers, body)
                .thenApply(id -> incoming(
                        id.map(first -> MessageName.of("jms:" + first)).orElseGet(() -> name(headers)), headers, body));
    }

    private static MessageName name(Map<String, String> headers) {
        return new MessageName(
                "jms:" + ReceivedMessage.senderId(headers), Optional.of("jms:" + headers.get(ReceivedMessage.ID)));
    }

    private static OrderMessages.Incoming incoming(MessageName name, Map<String, String> headers, byte[] body) {
        return new OrderMessages.Incoming(
                name,
                body,
                // A JMS property may contain characters that a header of HTTP or Kafka cannot.
                Optional.ofNullable(headers.get("idempotencyKey"))
                        .filter(key -> !key.isBlank())
                        .map(key -> IdempotencyKey.read(key).orElse(key)),
                Optional.ofNullable(headers.get("style")).filter(style -> !style.isBlank()),
                Optional.ofNullable(headers.get("traceparent")));
    }

    private DeadLetter.Failed failed(Map<String, String> headers, byte[] body, Taken.Refused refused) {
        Optional<String> text = Utf8.text(body);
        boolean binary = body != null && text.isEmpty();
        return new DeadLetter.Failed(
                CHANNEL + ':' + ReceivedMessage.idAndDigest(headers, body),
                CHANNEL,
                queue,
                null,
                refused.reason(),
                OrderMessages.error(refused),
                new LinkedHashMap<>(headers),
                binary ? Base64.getEncoder().encodeToString(body) : text.orElse(null),
                binary);
    }

    @Override
    public void close() {
        closed = true;
        published.stopAccepting();
        receiver.close();
        published.close();
    }
}
