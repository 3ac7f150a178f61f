package io.caravanserai.service;

import io.caravanserai.order.Step;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Clock;
import java.util.function.Supplier;

/** What happens to an order beside its events, for its history. Thread-safe. */
public final class StepLog {
    private static final String INSERT = """
            INSERT INTO step_log (id, order_id, at, kind, name, outcome, attempt, detail)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """;
    private static final String INSERT_ONCE = """
            INSERT INTO step_log (id, order_id, at, kind, name, outcome, attempt)
            SELECT ?, ?, CAST(? AS BIGINT), 'compensation', ?, 'skipped', 1
            WHERE NOT EXISTS (SELECT 1 FROM step_log WHERE order_id = ? AND name = ? AND outcome = 'skipped')
            """;

    private static final String FORGET = "DELETE FROM step_log WHERE order_id = ?";

    private final Supplier<String> ids;
    private final Clock clock;

    /** @param ids from the same source as the events' ids: history is put in order by them */
    public StepLog(Supplier<String> ids, Clock clock) {
        this.ids = ids;
        this.clock = clock;
    }

    /** An attempt of an action failed for the moment and is made again. */
    public void retrying(Transaction tx, String orderId, Step step, int attempt, String detail) throws SQLException {
        tx.update(INSERT, ids.get(), orderId, clock.instant(), "step", step.action(), "retrying", attempt, detail);
    }

    /** A compensation found nothing to undo; recorded once. */
    public void skipped(Transaction tx, String orderId, String compensation) throws SQLException {
        tx.update(INSERT_ONCE, ids.get(), orderId, clock.instant(), compensation, orderId, compensation);
    }

    /** An attempt to compensate failed. */
    public void compensationFailed(Transaction tx, String orderId, String compensation, int attempt, String detail)
            throws SQLException {
        tx.update(INSERT, ids.get(), orderId, clock.instant(), "compensation", compensation, "failed", attempt, detail);
    }

    /** Forgets all attempts of an order. */
    public void forget(Transaction tx, String orderId) throws SQLException {
        tx.update(FORGET, orderId);
    }
}
