package io.caravanserai.store;

import java.sql.SQLException;

/**
 * Database work that happens completely or not at all.
 *
 * <p>A unit is pure database code and may only use the transaction: after a rollback the unit may run again. Effects
 * outside the database belong in {@link Transaction#afterCommit}.
 *
 * @param <T> type of the result, which may be null
 */
@FunctionalInterface
public interface UnitOfWork<T> {

    /** Does the work. An exception rolls back this unit and no other. */
    T run(Transaction tx) throws SQLException;
}
