package io.caravanserai.store;

import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/**
 * The operations of a unit of work. Only for the thread that runs the unit, and only while the unit runs.
 *
 * <p>Arguments are String, Integer, Long, Boolean (stored as 0 or 1), {@link java.time.Instant} (stored as epoch
 * milliseconds), {@link java.math.BigDecimal} (stored as plain text, exact), byte[] or null.
 */
public interface Transaction {

    /** Runs a statement that changes rows; returns the number of changed rows. */
    int update(String sql, Object... arguments) throws SQLException;

    /** The first row of a query (or of a statement with {@code RETURNING}); empty when there is none. */
    <T> Optional<T> first(String sql, Row<T> row, Object... arguments) throws SQLException;

    /** All rows of a query, in query order. */
    <T> List<T> list(String sql, Row<T> row, Object... arguments) throws SQLException;

    /**
     * Runs the action once the unit is durable; never after a rollback. The action must be quick and must not throw.
     */
    void afterCommit(Runnable action);
}
