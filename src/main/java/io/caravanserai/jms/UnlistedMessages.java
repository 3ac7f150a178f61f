package io.caravanserai.jms;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Messages in {@code DLQ} that a scan does not get: messages in flight to another consumer, and messages that the
 * broker cannot convert to the core protocol. The broker logs an error for each of the latter at every scan, so scans
 * become rare while nothing changes. Not thread-safe.
 */
final class UnlistedMessages {
    private static final Logger LOG = LoggerFactory.getLogger(UnlistedMessages.class);
    private static final Duration MAX_PAUSE = Duration.ofMinutes(1);

    /** After this many scans, a message is no longer just in flight. */
    private static final int SCANS_BEFORE_WARNING = 4;

    private long count;
    private long depth = -1;
    private int scans;
    private long nextScan;

    /** Whether the queue must be read: always if the number of messages has changed. */
    boolean isScanDue(long depthNow) {
        return count == 0 || depthNow != depth || System.nanoTime() - nextScan >= 0;
    }

    /**
     * Call after a scan.
     *
     * @param isNews whether the scan found a message for the first time
     */
    void scanned(long depthNow, long unlisted, boolean isNews) {
        boolean isSame = !isNews && unlisted == count && depthNow == depth;
        scans = isSame ? scans + 1 : 0;
        count = unlisted;
        depth = depthNow;
        Duration pause = Duration.ofSeconds(1L << Math.min(scans, 6));
        nextScan = System.nanoTime() + (pause.compareTo(MAX_PAUSE) < 0 ? pause : MAX_PAUSE).toNanos();
        if (count > 0 && scans == SCANS_BEFORE_WARNING) {
            LOG.atWarn()
                    .addKeyValue("queue", JmsDeadLetters.QUEUE)
                    .addKeyValue("waiting", count)
                    .log("dead letters of the JMS broker not listed, because the broker cannot deliver the messages;"
                            + " read the queue with a client of the senders' protocol");
        }
    }
}
