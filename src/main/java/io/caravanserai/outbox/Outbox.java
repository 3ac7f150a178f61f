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

/** Records events beside their effects. Thread-safe. */
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

    /** For events that go to the bus only. */
    public Outbox(Supplier<String> ids, Clock clock, List<Projection> projections, Consumer<OrderEvent> relay) {
        this(ids, clock, projections, relay, false);
    }

    /**
     * @param ids unique ids that ascend with time
     * @param projections applied in this order to each event
     * @param relay given each event once it is durable; must not block
     * @param alsoToKafka whether events are owed to {@link Destination#KAFKA}, too
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

    /** Has the last event of an order sent once more, to those who ought to have reacted to it and have not. */
    public void repeatLast(Transaction tx, String orderId) throws SQLException {
        tx.update(REPEAT_LAST, orderId);
    }

    /** Has an event sent once more. */
    public void repeat(Transaction tx, String eventId) throws SQLException {
        tx.update(REPEAT, eventId);
    }

    /**
     * Records an event of the effect that this transaction makes.
     *
     * @param attempt which attempt of the step this is, from 1
     * @throws RuntimeException when a projection refuses it; the unit must then fail
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
