package io.caravanserai.outbox;

import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventJson;
import io.caravanserai.event.OrderEvent;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Clock;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Records events in the transaction of the effect. Thread-safe. */
public final class Outbox {
    private static final String INSERT = """
            INSERT INTO events (id, type, order_id, at, saga_id, causation_id, traceparent, style, attempt, data,
              kafka_sent_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """;

    private static final String REPEAT = "UPDATE events SET sent_at = NULL WHERE id = ? AND sent_at IS NOT NULL";
    private static final String REPEAT_LAST = """
            UPDATE events SET sent_at = NULL
            WHERE sequence = (SELECT MAX(sequence) FROM events WHERE order_id = ?) AND sent_at IS NOT NULL
            """;

    private final Supplier<String> ids;
    private final Clock clock;
    private final List<Projection> projections;
    private final Consumer<OrderEvent> relay;
    private final Long kafkaMark;

    /** Creates an outbox for events that go to the bus only. */
    public Outbox(Supplier<String> ids, Clock clock, List<Projection> projections, Consumer<OrderEvent> relay) {
        this(ids, clock, projections, relay, false);
    }

    /**
     * @param ids unique ids that ascend with time
     * @param projections applied to each event in the given order
     * @param relay receives each event once the event is durable; must not block
     * @param alsoToKafka whether events also go to {@link Destination#KAFKA}
     */
    public Outbox(
            Supplier<String> ids,
            Clock clock,
            List<Projection> projections,
            Consumer<OrderEvent> relay,
            boolean alsoToKafka) {
        this.ids = ids;
        this.clock = clock;
        this.projections = List.copyOf(projections);
        this.relay = relay;
        this.kafkaMark = alsoToKafka ? 0L : null;
    }

    /** Marks the last event of an order as unsent, so that the relay sends the event to the subscribers again. */
    public void repeatLast(Transaction tx, String orderId) throws SQLException {
        tx.update(REPEAT_LAST, orderId);
    }

    /** Marks an event as unsent, so that the relay sends the event again. */
    public void repeat(Transaction tx, String eventId) throws SQLException {
        tx.update(REPEAT, eventId);
    }

    /**
     * Records an event in the transaction of the effect.
     *
     * @param attempt attempt of the step, from 1; 0 when the named step was not tried
     * @throws RuntimeException when a projection refuses the event; the transaction must then fail
     */
    public OrderEvent append(Transaction tx, String orderId, EventData data, int attempt, EventContext context)
            throws SQLException {
        OrderEvent event = new OrderEvent(ids.get(), orderId, clock.instant(), attempt, context, data);
        for (Projection projection : projections) {
            projection.apply(tx, event);
        }
        tx.update(
                INSERT,
                event.id(),
                event.type().name(),
                orderId,
                event.time(),
                context.sagaId(),
                context.causationId(),
                context.traceparent(),
                context.style() == null ? null : context.style().wire(),
                attempt,
                EventJson.write(orderId, data).toString(),
                kafkaMark);
        tx.afterCommit(() -> relay.accept(event));
        return event;
    }
}
