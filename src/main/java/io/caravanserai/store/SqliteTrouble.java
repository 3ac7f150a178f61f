package io.caravanserai.store;

import java.sql.SQLException;
import java.util.EnumSet;
import java.util.Set;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** Distinguishes failures of the database file from failures of a statement. Source: sqlite.org/rescode.html. */
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

    private static final Set<SQLiteErrorCode> CONDEMNING_CODES =
            EnumSet.of(SQLiteErrorCode.SQLITE_IOERR, SQLiteErrorCode.SQLITE_CORRUPT, SQLiteErrorCode.SQLITE_NOTADB);

    /** I/O errors about memory, locks or the shared index of the log. None of these outlives the process. */
    private static final Set<SQLiteErrorCode> TRANSIENT_IO_CODES = EnumSet.of(
            SQLiteErrorCode.SQLITE_IOERR_NOMEM,
            SQLiteErrorCode.SQLITE_IOERR_LOCK,
            SQLiteErrorCode.SQLITE_IOERR_RDLOCK,
            SQLiteErrorCode.SQLITE_IOERR_UNLOCK,
            SQLiteErrorCode.SQLITE_IOERR_BLOCKED,
            SQLiteErrorCode.SQLITE_IOERR_CHECKRESERVEDLOCK,
            SQLiteErrorCode.SQLITE_IOERR_SHMOPEN,
            SQLiteErrorCode.SQLITE_IOERR_SHMSIZE,
            SQLiteErrorCode.SQLITE_IOERR_SHMLOCK,
            SQLiteErrorCode.SQLITE_IOERR_SHMMAP);

    private SqliteTrouble() {}

    static boolean is(SQLException e) {
        return e instanceof SQLiteException failure && PRIMARY_CODES.contains(primary(failure));
    }

    /**
     * Whether the files may lack acknowledged writes. After a failed write or sync Linux marks the pages clean although
     * they never reached the disk, and a later sync of the same file succeeds. A full disk does not count: SQLite wrote
     * nothing.
     */
    static boolean condemnsFiles(SQLException e) {
        return e instanceof SQLiteException failure
                && CONDEMNING_CODES.contains(primary(failure))
                && !TRANSIENT_IO_CODES.contains(failure.getResultCode());
    }

    private static SQLiteErrorCode primary(SQLiteException failure) {
        // The low byte of an extended code is its primary code.
        return SQLiteErrorCode.getErrorCode(failure.getResultCode().code & 0xff);
    }
}
