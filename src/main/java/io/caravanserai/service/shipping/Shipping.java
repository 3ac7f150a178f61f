package io.caravanserai.service.shipping;

import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventType;
import io.caravanserai.order.Order;
import io.caravanserai.order.Reason;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.service.StepOutcome;
import io.caravanserai.store.Transaction;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** Ships orders. Shipping is the last step and has no compensation. Thread-safe. */
public final class Shipping {
    private static final String STATUS = "SELECT status FROM shipments WHERE order_id = ?";
    private static final String INSERT = """
            INSERT INTO shipments (order_id, status, tracking_number, country, created_at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (order_id) DO NOTHING
            """;
    private static final String FIND = """
            SELECT tracking_number, order_id, country, created_at
            FROM shipments WHERE order_id = ? AND status = 'SHIPPED'
            """;
    private static final String LIST = """
            SELECT tracking_number, order_id, country, created_at
            FROM shipments WHERE order_id > ? AND status = 'SHIPPED' ORDER BY order_id LIMIT ?
            """;

    private final Outbox outbox;
    private final Clock clock;
    private final Supplier<String> ids;
    private final Set<String> countries;

    /** @param countries ISO 3166-1 alpha-2 codes of the served countries */
    public Shipping(Outbox outbox, Clock clock, Supplier<String> ids, Set<String> countries) {
        this.outbox = outbox;
        this.clock = clock;
        this.ids = ids;
        this.countries = Set.copyOf(countries);
    }

    /** Ships the order, or refuses when the country is not served. */
    public StepOutcome ship(Transaction tx, Order order, EventContext context) throws SQLException {
        boolean served = countries.contains(order.shippingAddress().country());
        String trackingNumber = served ? "trk_" + ids.get() : null;
        if (!insert(tx, order, trackingNumber)) {
            return outcome(tx.first(STATUS, row -> row.getString(1), order.orderId())
                    .orElseThrow()
                    .equals("SHIPPED"));
        }
        EventData data = served
                ? new EventData.OrderShipped(trackingNumber)
                : new EventData.Failed(EventType.ShippingFailed, Reason.SHIPPING_REFUSED);
        outbox.append(tx, order.orderId(), data, 1, context);
        return outcome(served);
    }

    /** Records the decision on the order; returns false when a decision exists. */
    private boolean insert(Transaction tx, Order order, String trackingNumber) throws SQLException {
        return tx.update(
                        INSERT,
                        order.orderId(),
                        trackingNumber == null ? "REFUSED" : "SHIPPED",
                        trackingNumber,
                        order.shippingAddress().country(),
                        clock.instant())
                == 1;
    }

    private static StepOutcome outcome(boolean shipped) {
        return shipped ? StepOutcome.DONE : new StepOutcome.Refused(Reason.SHIPPING_REFUSED);
    }

    /** Returns the shipment of an order; empty when the order was not shipped. */
    public Optional<Shipment> find(Transaction tx, String orderId) throws SQLException {
        return tx.first(FIND, Shipping::shipment, orderId);
    }

    /** Returns shipments in the order of the order id, after the given order id. */
    public List<Shipment> list(Transaction tx, String after, int limit) throws SQLException {
        return tx.list(LIST, Shipping::shipment, after, limit);
    }

    private static Shipment shipment(ResultSet row) throws SQLException {
        return new Shipment(
                row.getString("tracking_number"),
                row.getString("order_id"),
                row.getString("country"),
                Instant.ofEpochMilli(row.getLong("created_at")));
    }
}
