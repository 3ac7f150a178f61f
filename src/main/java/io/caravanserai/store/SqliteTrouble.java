package io.caravanserai.store;

import java.sql.SQLException;
import java.util.EnumSet;
import java.util.Set;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** Tells failures of the database file from failures of a statement. Source: sqlite.org/rescode.html. */
final class SqliteTrouble {
    private static final Set<SQLiteErrorCode> PRIMARY_CODES = EnumSet.of(
            SQLiteErrorCode.SQLITE_BUSY,
            SQLiteErrorCode.SQLITE_LOCKED,
            SQLiteErrorCode.SQLITE_FULL,
            SQLiteErrorCode.SQLITE_IOERR,
            SQLiteErrorCode.SQLITE_READONLY,
            SQLiteErrorCode.SQLITE_CANTOPEN,
            SQLiteErrorCode.SQLITE_CORRUPT,
            SQLiteErrorCode.SQLITE_NOMEM,
            SQLiteErrorCode.SQLITE_NOTADB);

    private SqliteTrouble() {}

    static boolean is(SQLException e) {
        // The low byte of an extended code is its primary code.
        return e instanceof SQLiteException failure
                && PRIMARY_CODES.contains(SQLiteErrorCode.getErrorCode(failure.getResultCode().code & 0xff));
    }
}
