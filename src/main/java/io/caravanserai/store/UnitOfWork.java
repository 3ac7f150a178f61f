package io.caravanserai.store;

import java.sql.SQLException;

/**
 * Database work that happens whole or not at all.
 *
 * <p>A unit is pure database code: it may be run again after a rollback, so it must touch nothing but its transaction.
 * What must happen outside once it is durable goes into {@link Transaction#afterCommit}.
 *
 * @param <T> what it answers; may be null
 */
@FunctionalInterface
public interface UnitOfWork<T> {

    /** Does the work. Whatever it throws rolls it back, and it alone. */
    T run(Transaction tx) throws SQLException;
}
