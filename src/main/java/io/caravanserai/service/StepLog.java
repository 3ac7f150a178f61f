package io.caravanserai.service;

import io.caravanserai.order.Step;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** What happens to an order beside its events, for its history. Thread-safe. */
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

    /** Of an exchange, an object, a message: another one at each attempt. */
    private static final Pattern HEX_OR_NUMBER = Pattern.compile("[0-9A-Fa-f]*[0-9][0-9A-Fa-f]*");

    private final Supplier<String> ids;
    private final Clock clock;
    private final WorkListener listener;

    /** @param ids from the same source as the events' ids: history is put in order by them */
    public StepLog(Supplier<String> ids, Clock clock) {
        this(ids, clock, WorkListener.NONE);
    }

    /** @param listener hears of each retry once that is durable */
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
     * The attempt that follows a failed one of an action has begun. Not recorded when {@link #retryPlanned} has
     * recorded the failed one.
     *
     * @param step also the name of a flow's own step
     * @param attempt the failed one
     */
    public void retrying(Transaction tx, String orderId, String step, int attempt, String detail) throws SQLException {
        retryBegan(tx, orderId, "step", step, attempt, detail);
    }

    /**
     * An attempt of an action or of a compensation failed for the moment; the next one is planned.
     *
     * @param kind step or compensation
     * @param name also of a flow's own step
     * @param nextAt when the next attempt is due
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

    /** A step of the flow's own, of which no event tells, was done. Recorded once. */
    public void done(Transaction tx, String orderId, String step, int attempt) throws SQLException {
        insertDone(tx, orderId, "step", step, attempt);
    }

    /** A step of the flow's own, of which no event tells, failed for good. */
    public void failed(Transaction tx, String orderId, String step, int attempt, String detail) throws SQLException {
        insert(tx, orderId, "step", step, "failed", attempt, detail);
    }

    /** Of an attempt to compensate, like {@link #retrying(Transaction, String, String, int, String)}. */
    public void compensationRetrying(Transaction tx, String orderId, String compensation, int attempt, String detail)
            throws SQLException {
        retryBegan(tx, orderId, "compensation", compensation, attempt, detail);
    }

    /** An outside service has undone its effect. Recorded once, and never {@link #skipped} afterwards. */
    public void compensated(Transaction tx, String orderId, String compensation, int attempt) throws SQLException {
        insertDone(tx, orderId, "compensation", compensation, attempt);
    }

    /**
     * A compensation of the flow's own was done. Not recorded when a service that the compensation called, one of the
     * hub's or one outside, has recorded since its start what was undone.
     *
     * @param startId an id from the source of ids, made when the attempt began
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
     * An operator did something with the order.
     *
     * @param detail who and why; null when neither is known
     */
    public void acted(Transaction tx, String orderId, String act, String detail) throws SQLException {
        insert(tx, orderId, "event", act, "done", 1, detail);
    }

    /**
     * A step failed and no service has recorded an event of that: the flow failed. Recorded once for each step and
     * detail, though an event may be tried again and again; ids and counts in the detail do not make another failure.
     *
     * @return false when it was recorded before
     */
    public boolean flowFailed(Transaction tx, String orderId, String step, String detail) throws SQLException {
        return flowFailed(tx, orderId, "step", step, detail);
    }

    /** A route that undoes a step failed. Recorded like {@link #flowFailed}. */
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

    /** Whether the flow has failed since then, as {@link #flowFailed} records it. */
    public boolean hasFailedSince(Transaction tx, String orderId, Instant since) throws SQLException {
        return tx.first(FAILED_SINCE, row -> true, orderId, since).isPresent();
    }

    /** A compensation found nothing to undo. Recorded once. */
    public void skipped(Transaction tx, String orderId, String compensation) throws SQLException {
        tx.update(INSERT_SKIPPED, ids.get(), orderId, clock.instant(), compensation, orderId, compensation);
    }

    /** An attempt to compensate failed. */
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

    /** Forgets all attempts of an order. */
    public void forget(Transaction tx, String orderId) throws SQLException {
        tx.update(FORGET, orderId);
    }
}
