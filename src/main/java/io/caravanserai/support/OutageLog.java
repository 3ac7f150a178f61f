package io.caravanserai.support;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * Log lines about one part that goes away and comes back: one when it goes, one a minute while it is away, one when it
 * is back. Thread-safe.
 */
public final class OutageLog {
    private static final long BETWEEN_LINES = Duration.ofMinutes(1).toNanos();

    private final Logger log;
    private final String part;
    private final LongSupplier nanos;
    private boolean isAway;
    private long since;
    private long lastLine;
    private int failures;

    /** @param part what goes away, such as {@code database} */
    public OutageLog(Logger log, String part) {
        this(log, part, System::nanoTime);
    }

    OutageLog(Logger log, String part, LongSupplier nanos) {
        this.log = log;
        this.part = part;
        this.nanos = nanos;
    }

    /**
     * To be called at each failure.
     *
     * @param reason what failed and what happens next, in one line
     */
    public synchronized void failed(String reason) {
        long now = nanos.getAsLong();
        failures++;
        if (!isAway) {
            isAway = true;
            since = now;
            lastLine = now;
            failures = 0;
            log.atError().addKeyValue("part", part).addKeyValue("error", reason).log("unavailable");
        } else if (now - lastLine >= BETWEEN_LINES) {
            lastLine = now;
            log.atError()
                    .addKeyValue("part", part)
                    .addKeyValue("seconds", Duration.ofNanos(now - since).toSeconds())
                    .addKeyValue("failures", failures)
                    .addKeyValue("error", reason)
                    .log("still unavailable");
            failures = 0;
        }
    }

    /** To be called at each success; cheap and silent when there was no failure before. */
    public synchronized void worked() {
        if (isAway) {
            isAway = false;
            log.atInfo()
                    .addKeyValue("part", part)
                    .addKeyValue(
                            "seconds",
                            Duration.ofNanos(nanos.getAsLong() - since).toSeconds())
                    .log("available again");
        }
    }
}
