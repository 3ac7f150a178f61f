package io.caravanserai.outbox;

import java.util.Locale;

/** Destinations of events. Each destination marks sent events in a column of the log. */
public enum Destination {
    /** The event bus between the services, on any broker. Receives every event. */
    BUS(
            """
            SELECT * FROM events WHERE sent_at IS NULL AND sequence > ? ORDER BY sequence LIMIT ?
            """,
            "UPDATE events SET sent_at = ? WHERE sequence = ?",
            "UPDATE events SET sent_at = ? WHERE sequence BETWEEN ? AND ?",
            "SELECT COUNT(*) FROM events WHERE sent_at IS NULL"),

    /** Kafka for external consumers, when the bus uses another broker. Events to send have the mark 0. */
    KAFKA(
            """
            SELECT * FROM events WHERE kafka_sent_at = 0 AND sequence > ? ORDER BY sequence LIMIT ?
            """,
            "UPDATE events SET kafka_sent_at = ? WHERE sequence = ?",
            "UPDATE events SET kafka_sent_at = ? WHERE sequence BETWEEN ? AND ?",
            "SELECT COUNT(*) FROM events WHERE kafka_sent_at = 0");

    private final String unsent;
    private final String mark;
    private final String markAll;
    private final String pending;

    Destination(String unsent, String mark, String markAll, String pending) {
        this.unsent = unsent;
        this.mark = mark;
        this.markAll = markAll;
        this.pending = pending;
    }

    String wire() {
        return name().toLowerCase(Locale.ROOT);
    }

    String unsent() {
        return unsent;
    }

    String mark() {
        return mark;
    }

    String markAll() {
        return markAll;
    }

    String pending() {
        return pending;
    }
}
