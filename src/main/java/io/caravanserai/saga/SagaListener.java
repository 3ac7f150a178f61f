package io.caravanserai.saga;

import io.caravanserai.store.Transaction;
import java.sql.SQLException;

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

    /** An attempt to compensate failed; {@code gaveUp} when it was the last and the saga is now stuck. */
    void compensationFailed(
            Transaction tx, String sagaId, String compensation, int attempt, String error, boolean gaveUp)
            throws SQLException;
}
