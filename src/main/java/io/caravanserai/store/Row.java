package io.caravanserai.store;

import java.sql.ResultSet;
import java.sql.SQLException;

/** Makes a value of the row a result set stands on. */
@FunctionalInterface
public interface Row<T> {

    T map(ResultSet row) throws SQLException;
}
