package io.caravanserai.store;

import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies SQLite's write-ahead log (WAL) into the database, so that SQLite restarts the log instead of extending the
 * file. A reader with an old snapshot, for example another program with the file open, prevents the restart. The log
 * then grows, with a log line a minute, and is truncated once that reader is gone. For one thread. Source:
 * sqlite.org/wal.html, section 6.
 */
final class Checkpoints {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);

    /**
     * WAL frames before a checkpoint (32 MiB). A checkpoint syncs both files, so rare and large checkpoints are
     * cheaper.
     */
    private static final int FRAMES = 8_000;

    /** WAL frames (128 MiB) from which a checkpoint waits for readers and truncates the file. */
    private static final int TRUNCATE_FRAMES = 4 * FRAMES;

    /** A checkpoint attempt on a log that a reader holds costs time in proportion to the log size. */
    private static final Duration ATTEMPT_INTERVAL = Duration.ofSeconds(1);

    private static final Duration LINE_INTERVAL = Duration.ofMinutes(1);

    /** How long each attempt may block the writer. Queries of the hub itself end within this time. */
    private static final int BUSY_MILLIS = 20;

    private final int busyMillis;
    private final LongSupplier nanos;
    private long attempted;
    private long lastLine;
    private boolean isLogged;

    /**
     * @param busyMillis lock timeout of the connection outside checkpoints
     * @param nanos as {@link System#nanoTime}
     */
    Checkpoints(int busyMillis, LongSupplier nanos) {
        this.busyMillis = busyMillis;
        this.nanos = nanos;
        this.attempted = nanos.getAsLong() - ATTEMPT_INTERVAL.toNanos();
        this.lastLine = nanos.getAsLong() - LINE_INTERVAL.toNanos();
    }

    /** Call after each commit. Fails when the files cannot be read or written. */
    void afterCommit(Connection writer, WalFrames log) throws SQLException, IOException {
        long now = nanos.getAsLong();
        if (now - attempted < ATTEMPT_INTERVAL.toNanos() || !log.hasReached(FRAMES)) {
            return;
        }
        attempted = now;
        if (!log.hasReached(TRUNCATE_FRAMES)) {
            isDone(writer, "PRAGMA wal_checkpoint(PASSIVE)");
        } else if (isTruncated(writer)) {
            logTruncated(log);
        } else {
            logHeld(now, log);
        }
    }

    private boolean isTruncated(Connection writer) throws SQLException {
        execute(writer, "PRAGMA busy_timeout = " + BUSY_MILLIS);
        try {
            return isDone(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
        } finally {
            execute(writer, "PRAGMA busy_timeout = " + busyMillis);
        }
    }

    private void logTruncated(WalFrames log) throws IOException {
        if (isLogged) {
            isLogged = false;
            LOG.atInfo().addKeyValue("file", log.file()).log("write-ahead log cut; no reader holds it any more");
        }
    }

    private void logHeld(long now, WalFrames log) throws IOException {
        if (now - lastLine >= LINE_INTERVAL.toNanos()) {
            lastLine = now;
            isLogged = true;
            LOG.atWarn()
                    .addKeyValue("file", log.file())
                    .addKeyValue("mebibytes", log.bytes() >> 20)
                    .log("write-ahead log grows: a reader keeps an old snapshot of the database; end the other program"
                            + " that has the file open");
        }
    }

    /** Returns false when a reader holds the log. */
    private static boolean isDone(Connection writer, String checkpoint) throws SQLException {
        try (Statement statement = writer.createStatement();
                ResultSet result = statement.executeQuery(checkpoint)) {
            return result.next() && result.getInt("busy") == 0;
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
