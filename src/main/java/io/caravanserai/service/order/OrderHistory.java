package io.caravanserai.service.order;

import io.caravanserai.event.EventJson;
import io.caravanserai.event.EventType;
import io.caravanserai.order.Step;
import io.caravanserai.store.Transaction;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Reads the history of an order from the events and the step log, sorted by id. Ids ascend with time. */
public final class OrderHistory {
    private static final String EVENTS = "SELECT id, at, type, attempt, data FROM events WHERE order_id = ?";
    private static final String STEPS =
            "SELECT id, at, kind, name, outcome, attempt, detail, next_at FROM step_log WHERE order_id = ?";

    /**
     * An event or a row of the step log.
     * @param cause the step or compensation that the event records; null in the step log and where no attempt was made
     */
    private record Dated(String id, HistoryEntry cause, HistoryEntry entry) {}

    /** Returns the history of an order; empty for an unknown order, or without entries. */
    public List<HistoryEntry> of(Transaction tx, String orderId) throws SQLException {
        List<Dated> all = new ArrayList<>(tx.list(EVENTS, OrderHistory::event, orderId));
        all.addAll(tx.list(STEPS, OrderHistory::step, orderId));
        all.sort(Comparator.comparing(Dated::id));
        List<HistoryEntry> history = new ArrayList<>();
        for (Dated dated : all) {
            if (dated.cause() != null && !isTold(history, dated.cause())) {
                history.add(afterRetries(history, dated.cause()));
            }
            if (isAboutTheOneBefore(history, dated.entry())) {
                history.set(history.size() - 1, who(history.get(history.size() - 1), dated.entry()));
            } else {
                history.add(dated.entry());
            }
        }
        return List.copyOf(history);
    }

    /** Whether a row of the step log names the caller of the event recorded in the same unit of work. */
    private static boolean isAboutTheOneBefore(List<HistoryEntry> history, HistoryEntry entry) {
        HistoryEntry before = history.isEmpty() ? null : history.get(history.size() - 1);
        return before != null
                && entry.kind().equals("event")
                && before.kind().equals("event")
                && entry.name().equals(before.name())
                && entry.name().equals(EventType.OrderCancelRequested.name());
    }

    private static HistoryEntry who(HistoryEntry event, HistoryEntry act) {
        String detail = event.detail() == null ? act.detail() : event.detail() + " " + act.detail();
        return new HistoryEntry(event.at(), event.kind(), event.name(), event.outcome(), event.attempt(), detail);
    }

    /**
     * Whether the step log already has the entry: an outside service undid a step before the hub recorded the
     * compensation, or refused a step, which the step log records in the same unit of work.
     */
    private static boolean isTold(List<HistoryEntry> history, HistoryEntry cause) {
        if (cause.outcome().equals("failed")) {
            return !history.isEmpty() && isSameWork(history.get(history.size() - 1), cause, "failed");
        }
        return cause.kind().equals("compensation")
                && history.stream().anyMatch(earlier -> isSameWork(earlier, cause, "done"));
    }

    /** Attempts of an outside service are in the step log; the event of the step does not count the attempts. */
    private static HistoryEntry afterRetries(List<HistoryEntry> history, HistoryEntry cause) {
        int attempt = history.stream()
                .filter(earlier -> isSameWork(earlier, cause, "retrying"))
                .mapToInt(earlier -> earlier.attempt() + 1)
                .reduce(cause.attempt(), Math::max);
        return new HistoryEntry(cause.at(), cause.kind(), cause.name(), cause.outcome(), attempt, cause.detail());
    }

    private static boolean isSameWork(HistoryEntry earlier, HistoryEntry cause, String outcome) {
        return earlier.kind().equals(cause.kind())
                && earlier.name().equals(cause.name())
                && earlier.outcome().equals(outcome);
    }

    private static Dated event(ResultSet row) throws SQLException {
        EventType type = EventType.valueOf(row.getString("type"));
        Instant at = Instant.ofEpochMilli(row.getLong("at"));
        int attempt = row.getInt("attempt");
        String reason = EventJson.reason(row.getString("data"));
        HistoryEntry event = new HistoryEntry(at, "event", type.name(), "done", 1, reason);
        HistoryEntry cause = type.step()
                // Attempt 0: a step of the flow's own failed, which the step log records.
                .filter(step -> attempt > 0)
                .map(step -> cause(at, type, step, attempt, reason))
                .orElse(null);
        return new Dated(row.getString("id"), cause, event);
    }

    private static HistoryEntry cause(Instant at, EventType type, Step step, int attempt, String reason) {
        return switch (type.kind()) {
            case REQUEST -> throw new IllegalArgumentException(type + " is about no step");
            case PROGRESS -> new HistoryEntry(at, "step", step.action(), "done", attempt, null);
            case FAILURE -> new HistoryEntry(at, "step", step.action(), "failed", attempt, reason);
            case COMPENSATION ->
                new HistoryEntry(at, "compensation", step.compensation().orElseThrow(), "done", attempt, null);
        };
    }

    private static Dated step(ResultSet row) throws SQLException {
        long next = row.getLong("next_at");
        Instant nextAt = row.wasNull() ? null : Instant.ofEpochMilli(next);
        HistoryEntry entry = new HistoryEntry(
                Instant.ofEpochMilli(row.getLong("at")),
                row.getString("kind"),
                row.getString("name"),
                row.getString("outcome"),
                row.getInt("attempt"),
                row.getString("detail"),
                nextAt);
        return new Dated(row.getString("id"), null, entry);
    }
}
