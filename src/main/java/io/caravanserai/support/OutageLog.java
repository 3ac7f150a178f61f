package io.caravanserai.support;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * Log lines about one part that goes away and comes back: one when it goes, one a minute while it is away, one when it
 * is back. Thread-safe.
 */
public final class OutageLog {
    private static final long BETWEEN_LINES = Duration.ofMinutes(1).toNanos();

    private static final long SETTLED_AFTER = Duration.ofSeconds(5).toNanos();

    private static final AtomicInteger AWAY = new AtomicInteger();

    private final Logger log;
    private final String part;
    private final LongSupplier nanos;
    private boolean isAway;
    /** Whether the log has a line of an outage and none of its end. */
    private boolean isTold;
    /** Whether there has been an outage at all. */
    private boolean hadOutage;

    private long since;
    private long backAt;
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
     * Whether any part is away in this process. A component that only repeats what such a line says can then be silent.
     */
    public static boolean isAnyPartAway() {
        return AWAY.get() > 0;
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
            AWAY.incrementAndGet();
            // A part that comes and goes every second is one outage, not sixty a minute.
            if (!hadOutage || now - backAt >= SETTLED_AFTER) {
                hadOutage = true;
                since = now;
                line(now, "unavailable", reason);
                return;
            }
        }
        if (now - lastLine >= BETWEEN_LINES) {
            line(now, "still unavailable", reason);
        }
    }

    private void line(long now, String message, String reason) {
        isTold = true;
        lastLine = now;
        log.atError()
                .addKeyValue("part", part)
                .addKeyValue("seconds", Duration.ofNanos(now - since).toSeconds())
                .addKeyValue("failures", failures)
                .addKeyValue("error", reason)
                .log(message);
        failures = 0;
    }

    /** To be called at each success; cheap and silent when there was no failure before. */
    public synchronized void worked() {
        if (!isAway) {
            return;
        }
        isAway = false;
        AWAY.decrementAndGet();
        backAt = nanos.getAsLong();
        if (isTold) {
            isTold = false;
            log.atInfo()
                    .addKeyValue("part", part)
                    .addKeyValue("seconds", Duration.ofNanos(backAt - since).toSeconds())
                    .log("available again");
        }
    }

    /** Forgets an outage without a line: nobody looks at the part any more. */
    public synchronized void forget() {
        if (isAway) {
            isAway = false;
            AWAY.decrementAndGet();
        }
    }
}
