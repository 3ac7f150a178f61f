package io.caravanserai.outbox;

import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventType;
import io.caravanserai.event.EventVersions;
import io.caravanserai.order.OrderStyle;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;

/**
 * An event with the position in the log.
 *
 * @param sequence position in the log
 * @param event in the newest version of the type
 */
public record StoredEvent(long sequence, CloudEvent event) {

    static StoredEvent of(ResultSet row) throws SQLException {
        EventType type = EventType.valueOf(row.getString("type"));
        return new StoredEvent(
                row.getLong("sequence"),
                new CloudEvent(
                        row.getString("id"),
                        type,
                        EventVersions.newest(type),
                        row.getString("order_id"),
                        Instant.ofEpochMilli(row.getLong("at")),
                        new EventContext(
                                row.getString("saga_id"),
                                row.getString("causation_id"),
                                row.getString("traceparent"),
                                Optional.ofNullable(row.getString("style"))
                                        .flatMap(OrderStyle::of)
                                        .orElse(null)),
                        row.getString("data")));
    }
}
