package io.caravanserai.subscriber.notification;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravanserai.bus.EventFilter;
import io.caravanserai.bus.EventHandler;
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
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a message to the customer when an order is taken, shipped or cancelled, once for each event, and hands what is
 * written to the carrier until it is delivered. Thread-safe.
 */
public final class Notifications implements EventHandler, AutoCloseable {
    /** Its name at the bus. */
    public static final String SUBSCRIBER = "notification";

    /** What customers hear of, in every style. */
    public static final EventFilter HEARS = new EventFilter(
            Optional.empty(), Set.of(EventType.OrderCreated, EventType.OrderShipped, EventType.OrderCancelled));

    private static final Logger LOG = LoggerFactory.getLogger(Notifications.class);
    private static final String INSERT = """
            INSERT INTO notifications (id, order_id, customer_id, type, text, at) VALUES (?, ?, ?, ?, ?, ?)
            """;
    private static final String CUSTOMER =
            "SELECT customer_id FROM notifications WHERE order_id = ? AND customer_id IS NOT NULL LIMIT 1";
    private static final String WAITING = "SELECT * FROM notifications WHERE delivered_at IS NULL ORDER BY id LIMIT ?";
    private static final String OF_ORDER = "SELECT * FROM notifications WHERE order_id = ? ORDER BY id";
    private static final String DELIVERED = "UPDATE notifications SET delivered_at = ? WHERE id = ?";
    private static final String FORGET = "DELETE FROM notifications WHERE order_id = ? AND delivered_at < ?";
    private static final int AT_ONCE = 500;
    private static final long PASS_MILLIS = 1_000;

    private final Store store;
    private final Inbox inbox;
    private final Clock clock;
    private final Carrier carrier;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "notifications");
        thread.setDaemon(true);
        return thread;
    });

    public Notifications(Store store, Inbox inbox, Clock clock, Carrier carrier) {
        this.store = store;
        this.inbox = inbox;
        this.clock = clock;
        this.carrier = carrier;
    }

    /** Delivers what waits, now and from time to time. */
    public Notifications start() {
        timer.scheduleWithFixedDelay(this::pass, 0, PASS_MILLIS, TimeUnit.MILLISECONDS);
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

    /** Forgets what was written and delivered to the customer of an order, and that its events were heard. */
    public void forget(Transaction tx, String orderId, List<String> eventIds, Instant before) throws SQLException {
        for (String eventId : eventIds) {
            inbox.forget(tx, eventId, SUBSCRIBER, before);
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
            while (runOnce() == AT_ONCE) {
                LOG.debug("more messages wait");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            LOG.warn("messages to customers not delivered; it is tried again", e);
        }
    }

    /** Delivers some of what waits; answers how many that were. */
    int runOnce() throws Exception {
        List<Notification> waiting =
                store.read(tx -> tx.list(WAITING, Notifications::read, AT_ONCE)).get(30, TimeUnit.SECONDS);
        if (!waiting.isEmpty()) {
            carrier.deliver(waiting);
            store.write("notified", "notified", tx -> {
                        for (Notification each : waiting) {
                            tx.update(DELIVERED, clock.instant(), each.id());
                        }
                        return null;
                    })
                    .get(30, TimeUnit.SECONDS);
        }
        return waiting.size();
    }

    /** What was written to the customer about an order, oldest first. */
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
        timer.shutdownNow();
    }
}
