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
 * Copies SQLite's write-ahead log into the database, so that the log is begun anew instead of growing. A reader that
 * keeps a snapshot, as another program with the file open may, keeps the log from being begun anew: the log then grows,
 * a line a minute says so, and the log is cut to nothing once that reader is gone. For one thread. Source:
 * sqlite.org/wal.html, section 6.
 */
final class Checkpoints {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);

    /** A checkpoint syncs both files: seldom, and then much at once (32 MiB). */
    private static final int FRAMES = 8_000;

    /** From here on (128 MiB) a checkpoint waits for readers, and cuts the file. */
    private static final int LONG_FRAMES = 4 * FRAMES;

    /** Each attempt on a log that a reader holds costs as much as the log is long. */
    private static final Duration BETWEEN_ATTEMPTS = Duration.ofSeconds(1);

    private static final Duration BETWEEN_LINES = Duration.ofMinutes(1);

    /** As long as the writer is held up, once for each attempt. The hub's own queries are over by then. */
    private static final int BUSY_MILLIS = 20;

    private final int busyMillis;
    private final LongSupplier nanos;
    private long attempted;
    private long told;
    private boolean isTold;

    /**
     * @param busyMillis how long the connection waits for locks otherwise
     * @param nanos as {@link System#nanoTime}
     */
    Checkpoints(int busyMillis, LongSupplier nanos) {
        this.busyMillis = busyMillis;
        this.nanos = nanos;
        this.attempted = nanos.getAsLong() - BETWEEN_ATTEMPTS.toNanos();
        this.told = nanos.getAsLong() - BETWEEN_LINES.toNanos();
    }

    /** To be called after each commit. Fails when the files cannot be read or written. */
    void afterCommit(Connection writer, WalFrames log) throws SQLException, IOException {
        long now = nanos.getAsLong();
        if (now - attempted < BETWEEN_ATTEMPTS.toNanos() || !log.hasReached(FRAMES)) {
            return;
        }
        attempted = now;
        if (!log.hasReached(LONG_FRAMES)) {
            isDone(writer, "PRAGMA wal_checkpoint(PASSIVE)");
        } else if (isCut(writer)) {
            worked(log);
        } else {
            isHeld(now, log);
        }
    }

    private boolean isCut(Connection writer) throws SQLException {
        execute(writer, "PRAGMA busy_timeout = " + BUSY_MILLIS);
        try {
            return isDone(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
        } finally {
            execute(writer, "PRAGMA busy_timeout = " + busyMillis);
        }
    }

    private void worked(WalFrames log) throws IOException {
        if (isTold) {
            isTold = false;
            LOG.atInfo().addKeyValue("file", log.file()).log("write-ahead log cut; no reader holds it any more");
        }
    }

    private void isHeld(long now, WalFrames log) throws IOException {
        if (now - told >= BETWEEN_LINES.toNanos()) {
            told = now;
            isTold = true;
            LOG.atWarn()
                    .addKeyValue("file", log.file())
                    .addKeyValue("mebibytes", log.bytes() >> 20)
                    .log("write-ahead log grows: a reader keeps an old snapshot of the database; end the other program"
                            + " that has the file open");
        }
    }

    /** False when a reader holds the log. */
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
