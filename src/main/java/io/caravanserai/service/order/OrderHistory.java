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
import java.util.stream.Stream;

/** What happened to an order, in order: told by its events and its step log, whose ids ascend with time. */
public final class OrderHistory {
    private static final String EVENTS = "SELECT id, at, type, attempt, data FROM events WHERE order_id = ?";
    private static final String STEPS =
            "SELECT id, at, kind, name, outcome, attempt, detail FROM step_log WHERE order_id = ?";

    private record Dated(String id, List<HistoryEntry> entries) {}

    /** The history of an order; empty when nothing has happened to it, or it is not known. */
    public List<HistoryEntry> of(Transaction tx, String orderId) throws SQLException {
        List<Dated> all = new ArrayList<>(tx.list(EVENTS, OrderHistory::event, orderId));
        all.addAll(tx.list(STEPS, OrderHistory::step, orderId));
        return all.stream()
                .sorted(Comparator.comparing(Dated::id))
                .flatMap(dated -> dated.entries().stream())
                .toList();
    }

    private static Dated event(ResultSet row) throws SQLException {
        EventType type = EventType.valueOf(row.getString("type"));
        Instant at = Instant.ofEpochMilli(row.getLong("at"));
        int attempt = row.getInt("attempt");
        String reason = EventJson.reason(row.getString("data"));
        HistoryEntry event = new HistoryEntry(at, "event", type.name(), "done", 1, reason);
        Stream<HistoryEntry> cause = type.step().map(step -> cause(at, type, step, attempt, reason)).stream();
        return new Dated(
                row.getString("id"), Stream.concat(cause, Stream.of(event)).toList());
    }

    private static HistoryEntry cause(Instant at, EventType type, Step step, int attempt, String reason) {
        return switch (type.kind()) {
            case PROGRESS -> new HistoryEntry(at, "step", step.action(), "done", attempt, null);
            case FAILURE -> new HistoryEntry(at, "step", step.action(), "failed", attempt, reason);
            case COMPENSATION ->
                new HistoryEntry(at, "compensation", step.compensation().orElseThrow(), "done", attempt, null);
        };
    }

    private static Dated step(ResultSet row) throws SQLException {
        HistoryEntry entry = new HistoryEntry(
                Instant.ofEpochMilli(row.getLong("at")),
                row.getString("kind"),
                row.getString("name"),
                row.getString("outcome"),
                row.getInt("attempt"),
                row.getString("detail"));
        return new Dated(row.getString("id"), List.of(entry));
    }
}
