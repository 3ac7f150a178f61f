package io.caravanserai.store;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * What the writer needs from the database under it: connections, transactions, and whether its files can be trusted.
 * Used by the writer's thread alone, but for {@link #openReader} and {@link #condemns}.
 */
interface Database {

    /** A fresh connection for writing, with no transaction open. */
    Connection openWriter() throws SQLException;

    /** A fresh connection for reading, with auto-commit off. */
    Connection openReader() throws SQLException;

    /** Begins a transaction that holds the right to write. */
    void begin(Connection writer) throws SQLException;

    /** Makes the transaction durable. Whatever it throws, the transaction has not been committed. */
    void commit(Connection writer) throws SQLException;

    /** Undoes the transaction. */
    void rollback(Connection writer) throws SQLException;

    /** Writes something that changes nothing, in the open transaction, so that its commit reaches the disk. */
    void touch(Connection writer) throws SQLException;

    /** Size of the log that is yet to be copied into the database. */
    long logBytes();

    /** Work on the files that is due after commits, such as a checkpoint. No transaction is open. */
    void maintain(Connection writer) throws SQLException;

    /**
     * Whether the failure says that the files may not hold what was written to them, so that nothing more may be
     * acknowledged on them before {@link #copy} and {@link #swap} have replaced them.
     */
    boolean condemns(SQLException failure);

    /** Remembers, for a process that starts after this one has died, that the files are not to be trusted. */
    void condemn(SQLException failure);

    /**
     * Writes all that was committed into new files, syncs and checks them. The old files stay as they are.
     *
     * @param last the writer's last connection, which does not see what was never committed; null to open one
     * @throws SQLException when the old files cannot be read or the new ones not be written
     */
    void copy(Connection last) throws SQLException, IOException;

    /**
     * Puts the new files in the place of the old ones. No connection may be open.
     *
     * @throws IOException when the change is not durable; to be called again
     */
    void swap() throws IOException;

    /** Brings everything into the database file before the writer's connection, then the last one, is closed. */
    void settle(Connection writer) throws SQLException;
}
