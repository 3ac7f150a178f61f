package io.caravanserai.service.order;

import java.time.Instant;

/**
 * An entry of an order history.
 * @param kind step, compensation or event
 * @param outcome done, failed, retrying or skipped
 * @param attempt from 1
 * @param detail text for operators; may be null
 * @param nextAt due time of the next attempt; null when no attempt is planned
 */
public record HistoryEntry(
        Instant at, String kind, String name, String outcome, int attempt, String detail, Instant nextAt) {

    /** Creates an entry without a planned attempt. */
    public HistoryEntry(Instant at, String kind, String name, String outcome, int attempt, String detail) {
        this(at, kind, name, outcome, attempt, detail, null);
    }
}
