package io.caravanserai.support;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * Logs the outages of one part: a line at the start, one a minute while the part is unavailable, and one at the end.
 * Thread-safe.
 */
public final class OutageLog {
    private static final long LINE_INTERVAL = Duration.ofMinutes(1).toNanos();

    private static final long SETTLED_AFTER = Duration.ofSeconds(5).toNanos();

    private static final AtomicInteger PARTS_AWAY = new AtomicInteger();

    private final Logger log;
    private final String part;
    private final LongSupplier nanos;
    private boolean isAway;
    /** Whether an outage has been logged and the end of that outage has not. */
    private boolean isLogged;
    /** Whether any outage has occurred yet. */
    private boolean hadOutage;

    private long since;
    private long backAt;
    private long lastLine;
    private int failures;

    /** @param part the monitored part, for example {@code database} */
    public OutageLog(Logger log, String part) {
        this(log, part, System::nanoTime);
    }

    OutageLog(Logger log, String part, LongSupplier nanos) {
        this.log = log;
        this.part = part;
        this.nanos = nanos;
    }

    /**
     * Whether any part is unavailable in this process. Components that would only repeat the outage can then stay
     * silent.
     */
    public static boolean isAnyPartAway() {
        return PARTS_AWAY.get() > 0;
    }

    /**
     * Call at each failure.
     *
     * @param reason what failed and what happens next, in one line
     */
    public synchronized void failed(String reason) {
        long now = nanos.getAsLong();
        failures++;
        if (!isAway) {
            isAway = true;
            PARTS_AWAY.incrementAndGet();
            // A part that fails every second and recovers in between has one outage, not sixty a minute.
            if (!hadOutage || now - backAt >= SETTLED_AFTER) {
                hadOutage = true;
                since = now;
                line(now, "unavailable", reason);
                return;
            }
        }
        if (now - lastLine >= LINE_INTERVAL) {
            line(now, "still unavailable", reason);
        }
    }

    private void line(long now, String message, String reason) {
        isLogged = true;
        lastLine = now;
        log.atError()
                .addKeyValue("part", part)
                .addKeyValue("seconds", Duration.ofNanos(now - since).toSeconds())
                .addKeyValue("failures", failures)
                .addKeyValue("error", reason)
                .log(message);
        failures = 0;
    }

    /** Call at each success; cheap, and silent when no failure came before. */
    public synchronized void worked() {
        if (!isAway) {
            return;
        }
        isAway = false;
        PARTS_AWAY.decrementAndGet();
        backAt = nanos.getAsLong();
        if (isLogged) {
            isLogged = false;
            log.atInfo()
                    .addKeyValue("part", part)
                    .addKeyValue("seconds", Duration.ofNanos(backAt - since).toSeconds())
                    .log("available again");
        }
    }

    /** Clears an outage without a log line, for a part that is no longer monitored. */
    public synchronized void forget() {
        if (isAway) {
            isAway = false;
            PARTS_AWAY.decrementAndGet();
        }
    }
}
