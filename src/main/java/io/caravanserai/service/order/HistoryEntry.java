package io.caravanserai.service.order;

import java.time.Instant;

/**
 * One thing that happened to an order.
 *
 * @param kind step, compensation or event
 * @param outcome done, failed, retrying or skipped
 * @param attempt from 1
 * @param detail for people; null when there is nothing to add
 */
public record HistoryEntry(Instant at, String kind, String name, String outcome, int attempt, String detail) {}
