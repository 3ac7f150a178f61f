package io.caravanserai.service;

import io.caravanserai.order.Step;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** Records attempts and operator actions of an order, for the order history. Complements the events. Thread-safe. */
public final class StepLog {
    private static final String INSERT = """
            INSERT INTO step_log (id, order_id, at, kind, name, outcome, attempt, detail, next_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """;
    private static final String LAST_RETRIED = """
            SELECT attempt FROM step_log
            WHERE order_id = ? AND kind = ? AND name = ? AND outcome = 'retrying' ORDER BY id DESC LIMIT 1
            """;
    private static final String INSERT_DONE = """
            INSERT INTO step_log (id, order_id, at, kind, name, outcome, attempt)
            SELECT ?, ?, CAST(? AS BIGINT), CAST(? AS TEXT), ?, 'done', CAST(? AS INTEGER)
            WHERE NOT EXISTS (
              SELECT 1 FROM step_log WHERE order_id = ? AND kind = ? AND name = ? AND outcome = 'done')
            """;
    private static final String INSERT_SKIPPED = """
            INSERT INTO step_log (id, order_id, at, kind, name, outcome, attempt)
            SELECT ?, ?, CAST(? AS BIGINT), 'compensation', ?, 'skipped', 1
            WHERE NOT EXISTS (
              SELECT 1 FROM step_log
              WHERE order_id = ? AND kind = 'compensation' AND name = ? AND outcome IN ('skipped', 'done'))
            """;

    private static final String INSERT_UNLESS_RECORDED = """
            INSERT INTO step_log (id, order_id, at, kind, name, outcome, attempt)
            SELECT ?, ?, CAST(? AS BIGINT), 'compensation', ?, 'done', CAST(? AS INTEGER)
            WHERE NOT EXISTS (
              SELECT 1 FROM step_log
              WHERE order_id = ? AND kind = 'compensation' AND outcome IN ('done', 'skipped') AND id > ?)
            AND NOT EXISTS (
              SELECT 1 FROM events
              WHERE order_id = ? AND type IN ('PaymentRefunded', 'ItemsReleased', 'OrderCancelled') AND id > ?)
            """;
    private static final String FAILURES =
            "SELECT detail FROM step_log WHERE order_id = ? AND name = ? AND outcome = 'failed'";
    private static final String FAILED_SINCE = """
            SELECT 1 FROM step_log WHERE order_id = ? AND kind = 'step' AND outcome = 'failed' AND at >= ? LIMIT 1
            """;

    private static final String FORGET = "DELETE FROM step_log WHERE order_id = ?";

    /** Ids of exchanges, objects and messages, which differ at each attempt. */
    private static final Pattern HEX_OR_NUMBER = Pattern.compile("[0-9A-Fa-f]*[0-9][0-9A-Fa-f]*");

    private final Supplier<String> ids;
    private final Clock clock;
    private final WorkListener listener;

    /** @param ids the source of the event ids: the history is sorted by id */
    public StepLog(Supplier<String> ids, Clock clock) {
        this(ids, clock, WorkListener.NONE);
    }

    /** @param listener called for each retry once the record is durable */
    public StepLog(Supplier<String> ids, Clock clock, WorkListener listener) {
        this.listener = listener;
        this.ids = ids;
        this.clock = clock;
    }

    /** Like {@link #retrying(Transaction, String, String, int, String)}. */
    public void retrying(Transaction tx, String orderId, Step step, int attempt, String detail) throws SQLException {
        retrying(tx, orderId, step.action(), attempt, detail);
    }

    /**
     * Records that the next attempt of an action has begun. Does nothing when {@link #retryPlanned} has recorded the
     * failed attempt.
     * @param step name of a service step or of a step of the flow's own
     * @param attempt number of the failed attempt
     */
    public void retrying(Transaction tx, String orderId, String step, int attempt, String detail) throws SQLException {
        retryBegan(tx, orderId, "step", step, attempt, detail);
    }

    /**
     * Records that an attempt of an action or a compensation failed transiently, and when the next attempt is due.
     * @param kind step or compensation
     * @param name of a service step or of a step of the flow's own
     * @param nextAt due time of the next attempt
     */
    public void retryPlanned(
            Transaction tx, String orderId, String kind, String name, int attempt, String detail, Instant nextAt)
            throws SQLException {
        insert(tx, orderId, kind, name, "retrying", attempt, detail, nextAt);
    }

    private void retryBegan(Transaction tx, String orderId, String kind, String name, int attempt, String detail)
            throws SQLException {
        boolean isRecorded = tx.first(LAST_RETRIED, row -> row.getInt(1), orderId, kind, name)
                .filter(last -> last == attempt)
                .isPresent();
        if (!isRecorded) {
            insert(tx, orderId, kind, name, "retrying", attempt, detail, null);
        }
    }

    /** Records once that a step of the flow's own was done. No event records the step. */
    public void done(Transaction tx, String orderId, String step, int attempt) throws SQLException {
        insertDone(tx, orderId, "step", step, attempt);
    }

    /** Records that a step of the flow's own failed finally. No event records the step. */
    public void failed(Transaction tx, String orderId, String step, int attempt, String detail) throws SQLException {
        insert(tx, orderId, "step", step, "failed", attempt, detail);
    }

    /**
     * Records that the next attempt of a compensation has begun, like
     * {@link #retrying(Transaction, String, String, int, String)}.
     */
    public void compensationRetrying(Transaction tx, String orderId, String compensation, int attempt, String detail)
            throws SQLException {
        retryBegan(tx, orderId, "compensation", compensation, attempt, detail);
    }

    /** Records once that an outside service has undone a step. {@link #skipped} then records nothing. */
    public void compensated(Transaction tx, String orderId, String compensation, int attempt) throws SQLException {
        insertDone(tx, orderId, "compensation", compensation, attempt);
    }

    /**
     * Records that a compensation of the flow's own was done. Does nothing when a service that the compensation called,
     * in the hub or outside, has recorded the effect since the start of the attempt.
     * @param startId an id from the source of ids, created when the attempt began
     */
    public void flowCompensated(Transaction tx, String orderId, String compensation, int attempt, String startId)
            throws SQLException {
        tx.update(
                INSERT_UNLESS_RECORDED,
                ids.get(),
                orderId,
                clock.instant(),
                compensation,
                attempt,
                orderId,
                startId,
                orderId,
                startId);
    }

    /**
     * Records an operator action on the order.
     * @param detail caller and reason; null when both are unknown
     */
    public void acted(Transaction tx, String orderId, String act, String detail) throws SQLException {
        insert(tx, orderId, "event", act, "done", 1, detail);
    }

    /**
     * Records that a flow failed at a step without an event of a service. Records each step and detail once, because
     * the bus may repeat an event many times. Ids and counts in the detail are ignored in the comparison.
     * @return false when the failure was recorded before
     */
    public boolean flowFailed(Transaction tx, String orderId, String step, String detail) throws SQLException {
        return flowFailed(tx, orderId, "step", step, detail);
    }

    /** Records that a route that undoes a step failed. Records each failure once, like {@link #flowFailed}. */
    public boolean undoFailed(Transaction tx, String orderId, String compensation, String detail) throws SQLException {
        return flowFailed(tx, orderId, "compensation", compensation, detail);
    }

    private boolean flowFailed(Transaction tx, String orderId, String kind, String name, String detail)
            throws SQLException {
        String said = withoutNumbers(detail);
        boolean isTold = tx.list(FAILURES, row -> String.valueOf(row.getString(1)), orderId, name).stream()
                .anyMatch(earlier -> withoutNumbers(earlier).equals(said));
        if (!isTold) {
            insert(tx, orderId, kind, name, "failed", 1, detail);
        }
        return !isTold;
    }

    private static String withoutNumbers(String detail) {
        return HEX_OR_NUMBER.matcher(detail).replaceAll("#");
    }

    /** Whether {@link #flowFailed} has recorded a failure since then. */
    public boolean hasFailedSince(Transaction tx, String orderId, Instant since) throws SQLException {
        return tx.first(FAILED_SINCE, row -> true, orderId, since).isPresent();
    }

    /** Records once that a compensation found nothing to undo. */
    public void skipped(Transaction tx, String orderId, String compensation) throws SQLException {
        tx.update(INSERT_SKIPPED, ids.get(), orderId, clock.instant(), compensation, orderId, compensation);
    }

    /** Records a failed attempt of a compensation. */
    public void compensationFailed(Transaction tx, String orderId, String compensation, int attempt, String detail)
            throws SQLException {
        insert(tx, orderId, "compensation", compensation, "failed", attempt, detail);
    }

    private void insert(
            Transaction tx, String orderId, String kind, String name, String outcome, int attempt, String detail)
            throws SQLException {
        insert(tx, orderId, kind, name, outcome, attempt, detail, null);
    }

    private void insert(
            Transaction tx,
            String orderId,
            String kind,
            String name,
            String outcome,
            int attempt,
            String detail,
            Instant nextAt)
            throws SQLException {
        tx.update(INSERT, ids.get(), orderId, clock.instant(), kind, name, outcome, attempt, detail, nextAt);
        if (outcome.equals("retrying")) {
            tx.afterCommit(() -> listener.retried(name));
        }
    }

    private void insertDone(Transaction tx, String orderId, String kind, String name, int attempt) throws SQLException {
        tx.update(INSERT_DONE, ids.get(), orderId, clock.instant(), kind, name, attempt, orderId, kind, name);
    }

    /** Deletes all records of an order. */
    public void forget(Transaction tx, String orderId) throws SQLException {
        tx.update(FORGET, orderId);
    }
}
