package io.caravanserai.store;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * The operations of a database that the writer uses: connections, transactions, and checks whether the files can be
 * trusted. Used only by the writer thread, except {@link #openReader} and {@link #condemns}.
 */
interface Database {

    /** Opens a connection for writing, with no open transaction. */
    Connection openWriter() throws SQLException;

    /** Opens a connection for reading, with auto-commit off. */
    Connection openReader() throws SQLException;

    /** Begins a transaction that holds the write lock. */
    void begin(Connection writer) throws SQLException;

    /** Makes the transaction durable. After any exception the transaction is not committed. */
    void commit(Connection writer) throws SQLException;

    /** Rolls the transaction back. */
    void rollback(Connection writer) throws SQLException;

    /** Writes a page without a change of content, in the open transaction, so that the commit reaches the disk. */
    void touch(Connection writer) throws SQLException;

    /** Size in bytes of the log that is not yet copied into the database. */
    long logBytes();

    /**
     * Performs file maintenance that is due after commits, for example a checkpoint. Call without an open transaction.
     */
    void maintain(Connection writer) throws SQLException;

    /**
     * Whether the failure means that the files may lack acknowledged writes. No write may then be acknowledged until
     * {@link #copy} and {@link #swap} have replaced the files.
     */
    boolean condemns(SQLException failure);

    /** Records that the files are not trusted, also for a later process. */
    void condemn(SQLException failure);

    /**
     * Writes all committed data into new files, and syncs and checks these files. The old files stay unchanged.
     *
     * @param last the last connection of the writer, which sees only committed data; null to open a connection
     * @throws SQLException when the old files cannot be read or the new files cannot be written
     */
    void copy(Connection last) throws SQLException, IOException;

    /**
     * Replaces the old files with the new files. No connection may be open.
     *
     * @throws IOException when the change is not durable; call again
     */
    void swap() throws IOException;

    /**
     * Copies the whole log into the database file. Call before the last connection, the one of the writer, is closed.
     */
    void settle(Connection writer) throws SQLException;
}
