package io.caravanserai.saga;

import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;

/**
 * Connects the state of a saga with the business state. Called inside the unit of work of the transition, so that both
 * states change together or not at all.
 */
public interface SagaListener {

    /**
     * Called before a running saga starts to compensate.
     *
     * @return false when the saga is past the point of no return; the saga then completes instead
     */
    boolean mayCompensate(Transaction tx, String sagaId, Cause cause) throws SQLException;

    /**
     * Called before a saga completes, also when the saga is already being compensated; the result is then ignored.
     *
     * @return false when the work is not done; the saga is then compensated instead
     */
    boolean mayComplete(Transaction tx, String sagaId) throws SQLException;

    /** The saga has ended; called in the same unit of work, before the commit. */
    void ended(Transaction tx, String sagaId, SagaStatus status) throws SQLException;

    /** A compensation attempt succeeded; called in the same unit of work, before the commit. */
    void compensated(Transaction tx, String sagaId, CompensationAttempt attempt) throws SQLException;

    /**
     * A compensation attempt failed.
     *
     * @param next due time of the next attempt; null when no attempt is left and the saga is now stuck
     */
    void compensationFailed(Transaction tx, String sagaId, CompensationAttempt attempt, String error, Instant next)
            throws SQLException;

    /**
     * Names what the saga works on, such as an order id, for log lines. Empty when the saga works on nothing that the
     * listener knows.
     */
    Optional<String> subject(Transaction tx, String sagaId) throws SQLException;

    /** An operator acts on a stuck saga; called before the effects of the action. */
    void acted(Transaction tx, String sagaId, OperatorAct act) throws SQLException;
}
