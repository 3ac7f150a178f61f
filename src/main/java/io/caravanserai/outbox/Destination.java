package io.caravanserai.outbox;

import java.util.Locale;

/** Where events go, each with marks of its own of what has been sent there. */
public enum Destination {
    /** The bus between the services, over whatever it runs. Every event goes there. */
    BUS(
            """
            SELECT * FROM events WHERE sent_at IS NULL AND sequence > ? ORDER BY sequence LIMIT ?
            """,
            "UPDATE events SET sent_at = ? WHERE sequence = ?",
            "UPDATE events SET sent_at = ? WHERE sequence BETWEEN ? AND ?",
            "SELECT COUNT(*) FROM events WHERE sent_at IS NULL"),

    /** Kafka, for those outside, when the bus runs over something else. Events recorded meanwhile are marked with 0. */
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
    private final String owed;

    Destination(String unsent, String mark, String markAll, String owed) {
        this.unsent = unsent;
        this.mark = mark;
        this.markAll = markAll;
        this.owed = owed;
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

    String owed() {
        return owed;
    }
}
