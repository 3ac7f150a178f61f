package io.caravanserai.subscriber.notification;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravanserai.bus.EventFilter;
import io.caravanserai.bus.EventHandler;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventJson;
import io.caravanserai.event.EventType;
import io.caravanserai.inbox.Inbox;
import io.caravanserai.order.OrderJson;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.io.IOException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a message to the customer when an order is accepted, shipped or cancelled, once for each event, and retries
 * the delivery until the sender has accepted the message. Thread-safe.
 */
public final class Notifications implements EventHandler, AutoCloseable {
    /** Name of the subscriber at the bus. */
    public static final String SUBSCRIBER = "notification";

    /** Events that lead to a message, in every style. */
    public static final EventFilter HEARS = new EventFilter(
            Optional.empty(), Set.of(EventType.OrderCreated, EventType.OrderShipped, EventType.OrderCancelled));

    private static final Logger LOG = LoggerFactory.getLogger(Notifications.class);
    private static final String INSERT = """
            INSERT INTO notifications (id, order_id, customer_id, type, text, at) VALUES (?, ?, ?, ?, ?, ?)
            """;
    private static final String CUSTOMER =
            "SELECT customer_id FROM notifications WHERE order_id = ? AND customer_id IS NOT NULL LIMIT 1";
    private static final String WAITING = """
            SELECT * FROM notifications WHERE delivered_at IS NULL AND next_attempt_at <= ? ORDER BY id LIMIT ?
            """;
    private static final String OF_ORDER = "SELECT * FROM notifications WHERE order_id = ? ORDER BY id";
    private static final String DELIVERED = "UPDATE notifications SET delivered_at = ? WHERE id = ?";
    private static final String POSTPONED = "UPDATE notifications SET next_attempt_at = ? WHERE id = ?";
    private static final String REFUSED = "UPDATE notifications SET next_attempt_at = NULL WHERE id = ?";
    /** A delivered message stays delivered: a repeated replay sends nothing twice. */
    private static final String AGAIN =
            "UPDATE notifications SET next_attempt_at = COALESCE(next_attempt_at, 0) WHERE id = ?";

    private static final String FORGET =
            "DELETE FROM notifications WHERE order_id = ? AND (delivered_at < ? OR next_attempt_at IS NULL)";
    /** The channel name of refused messages in the dead letters. */
    private static final String CHANNEL = "notification";

    private static final Duration PASS = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
    private static final Duration SOONEST_AGAIN = Duration.ofMinutes(1);
    private static final Duration LATEST_AGAIN = Duration.ofHours(1);
    /** Mail servers commonly retry for about this long; then the message becomes a dead letter. */
    private static final Duration PATIENCE = Duration.ofDays(2);

    private static final long FAREWELL_SECONDS = 3;

    private final Store store;
    private final Inbox inbox;
    private final DeadLetters letters;
    private final Clock clock;
    private final NotificationSender carrier;
    private final ScheduledThreadPoolExecutor timer;
    private Duration pause = PASS;

    public Notifications(Store store, Inbox inbox, DeadLetters letters, Clock clock, NotificationSender carrier) {
        this.store = store;
        this.inbox = inbox;
        this.letters = letters;
        this.clock = clock;
        this.carrier = carrier;
        this.timer = new ScheduledThreadPoolExecutor(
                1,
                work -> {
                    Thread thread = new Thread(work, "notifications");
                    thread.setDaemon(true);
                    return thread;
                },
                new ThreadPoolExecutor.DiscardPolicy());
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        letters.replayedBy(CHANNEL, this::again);
    }

    /** Starts the periodic delivery. */
    public Notifications start() {
        timer.execute(this::pass);
        return this;
    }

    @Override
    public CompletableFuture<Void> handle(CloudEvent event) {
        return store.write("notify", event.orderId(), tx -> {
            if (inbox.firstTime(tx, event.id(), SUBSCRIBER)) {
                write(tx, event);
            }
            return null;
        });
    }

    private void write(Transaction tx, CloudEvent event) throws SQLException {
        EventData data = EventJson.read(event.type(), json(event));
        String customerId = data instanceof EventData.OrderCreated created
                ? created.customerId()
                : tx.first(CUSTOMER, row -> row.getString(1), event.orderId()).orElse(null);
        tx.update(
                INSERT,
                event.id(),
                event.orderId(),
                customerId,
                event.type().name(),
                text(event.orderId(), data),
                event.time());
    }

    /** Deletes the delivered messages of an order, and the inbox entries of the order's events. */
    public void forget(Transaction tx, String orderId, List<CloudEvent> events, Instant before) throws SQLException {
        for (CloudEvent event : events) {
            inbox.forget(tx, event.id(), SUBSCRIBER, before);
        }
        tx.update(FORGET, orderId, before);
    }

    private static ObjectNode json(CloudEvent event) {
        try {
            return (ObjectNode) OrderJson.MAPPER.readTree(event.data());
        } catch (IOException e) {
            throw new IllegalArgumentException("an event's data is no JSON", e);
        }
    }

    private static String text(String orderId, EventData data) {
        if (data instanceof EventData.OrderShipped shipped) {
            return "Your order " + orderId + " is on its way; its tracking number is " + shipped.trackingNumber() + ".";
        }
        if (data instanceof EventData.OrderCancelled cancelled) {
            return "Your order " + orderId + " was cancelled ("
                    + cancelled.reason().wire() + "). What you paid is given back.";
        }
        return "Thank you, we have your order " + orderId + ".";
    }

    private void pass() {
        try {
            while (!timer.isShutdown() && runOnce()) {
                LOG.debug("more messages may wait");
            }
            pause = PASS;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        } catch (Throwable e) {
            // Catches all: an exception that escapes would end the passes silently.
            if (pause == PASS) {
                LOG.atWarn().setCause(e).log("messages to customers cannot be delivered at present; trying on");
            }
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
        }
        timer.schedule(this::pass, pause.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Delivers one batch; returns false when no more can be delivered now. */
    boolean runOnce() throws Exception {
        Instant now = clock.instant();
        List<Notification> waiting = store.read(tx -> tx.list(WAITING, Notifications::read, now, carrier.atOnce()))
                .get(30, TimeUnit.SECONDS);
        if (waiting.isEmpty()) {
            return false;
        }
        List<Attempt> attempts = carrier.deliver(waiting).stream()
                .map(attempt -> patient(attempt, now))
                .toList();
        store.write("notified", "notified", tx -> {
                    for (Attempt attempt : attempts) {
                        record(tx, attempt, now);
                    }
                    return null;
                })
                .get(30, TimeUnit.SECONDS);
        return attempts.stream().anyMatch(attempt -> !(attempt instanceof Attempt.Postponed));
    }

    private static Attempt patient(Attempt attempt, Instant now) {
        return attempt instanceof Attempt.Postponed postponed
                        && postponed.notification().at().isBefore(now.minus(PATIENCE))
                ? new Attempt.Refused(postponed.notification(), postponed.why())
                : attempt;
    }

    private void record(Transaction tx, Attempt attempt, Instant now) throws SQLException {
        String id = attempt.notification().id();
        if (attempt instanceof Attempt.Delivered) {
            tx.update(DELIVERED, clock.instant(), id);
        } else if (attempt instanceof Attempt.Refused refused) {
            tx.update(REFUSED, id);
            letters.add(tx, letter(refused));
        } else {
            tx.update(POSTPONED, now.plus(wait(attempt.notification(), now)), id);
        }
    }

    /** The delay equals the age of the message, so the delays double. */
    private static Duration wait(Notification notification, Instant now) {
        Duration waited = Duration.between(notification.at(), now);
        return waited.compareTo(SOONEST_AGAIN) < 0
                ? SOONEST_AGAIN
                : waited.compareTo(LATEST_AGAIN) > 0 ? LATEST_AGAIN : waited;
    }

    private static DeadLetter.Failed letter(Attempt.Refused refused) {
        Notification message = refused.notification();
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("id", message.id());
        headers.put("orderId", message.orderId());
        headers.put("customerId", message.customerId());
        return new DeadLetter.Failed(
                CHANNEL + ':' + message.id(),
                CHANNEL,
                CHANNEL,
                message.type().name(),
                "message-refused",
                refused.why(),
                headers,
                message.text(),
                false);
    }

    /** Retries a refused message. */
    private CompletableFuture<Void> again(DeadLetter letter) {
        return store.write("notify-again", "notified", tx -> {
            if (tx.update(AGAIN, letter.headers().get("id")) == 0) {
                throw new IllegalStateException("the message was forgotten with its order");
            }
            return null;
        });
    }

    /** Returns the messages of an order, oldest first. */
    public List<Notification> ofOrder(Transaction tx, String orderId) throws SQLException {
        return tx.list(OF_ORDER, Notifications::read, orderId);
    }

    private static Notification read(ResultSet row) throws SQLException {
        return new Notification(
                row.getString("id"),
                row.getString("order_id"),
                row.getString("customer_id"),
                EventType.valueOf(row.getString("type")),
                row.getString("text"),
                Instant.ofEpochMilli(row.getLong("at")));
    }

    @Override
    public void close() {
        // Lets a delivery in progress be recorded, so that the messages are not delivered again.
        timer.shutdown();
        try {
            timer.awaitTermination(FAREWELL_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        timer.shutdownNow();
    }
}
