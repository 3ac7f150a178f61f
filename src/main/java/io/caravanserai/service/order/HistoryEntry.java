package io.caravanserai.service.order;

import java.time.Instant;

/**
 * One thing that happened to an order.
 *
 * @param kind step, compensation or event
 * @param outcome done, failed, retrying or skipped
 * @param attempt from 1
 * @param detail for people; null when there is nothing to add
 * @param nextAt when the attempt is due that follows this one; null when none was planned
 */
public record HistoryEntry(
        Instant at, String kind, String name, String outcome, int attempt, String detail, Instant nextAt) {

    /** Of something that plans no further attempt. */
    public HistoryEntry(Instant at, String kind, String name, String outcome, int attempt, String detail) {
        this(at, kind, name, outcome, attempt, detail, null);
    }
}
