package io.caravanserai.saga;

import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Instant;

/**
 * Whoever knows what a saga is about. Called inside the unit of work that turns the saga, so that both sides turn
 * together or not at all.
 */
public interface SagaListener {

    /**
     * Asked when a running saga is about to turn to compensation.
     *
     * @return false when its work is past the point of no return: the saga then completes instead
     */
    boolean mayCompensate(Transaction tx, String sagaId, Cause cause) throws SQLException;

    /**
     * Asked when a saga is about to complete, which it does unless it has turned back already.
     *
     * @return false when its work is not done: the saga is then compensated instead
     */
    boolean mayComplete(Transaction tx, String sagaId) throws SQLException;

    /** The saga has ended; runs just before that becomes durable. */
    void ended(Transaction tx, String sagaId, SagaStatus status) throws SQLException;

    /** An attempt to compensate succeeded; runs just before that becomes durable. */
    void compensated(Transaction tx, String sagaId, CompensationAttempt attempt) throws SQLException;

    /**
     * An attempt to compensate failed.
     *
     * @param next when the next attempt is due; null when that was the last and the saga is now stuck
     */
    void compensationFailed(Transaction tx, String sagaId, CompensationAttempt attempt, String error, Instant next)
            throws SQLException;

    /** An operator acts on a stuck saga; runs before what the act leads to. */
    void acted(Transaction tx, String sagaId, OperatorAct act) throws SQLException;
}
