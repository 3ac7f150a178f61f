package io.caravanserai.support;

import java.time.Duration;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * Limits the log lines of each source to {@value #MAX_LINES} a minute. A flow that fails thousands of times a second
 * must not fill the disk. Thread-safe.
 */
public final class LineLimit {
    public static final int MAX_LINES = 10;
    private static final long MINUTE = Duration.ofMinutes(1).toNanos();
    /**
     * Sources are loggers and routes. Above this number all counts are cleared: old versions of routes would stay
     * forever.
     */
    private static final int MAX_SOURCES = 10_000;

    private final Map<String, Lines> sources = new ConcurrentHashMap<>();
    private final LongSupplier nanos;

    public LineLimit(LongSupplier nanos) {
        this.nanos = nanos;
    }

    private record Lines(long since, int written, long dropped, long droppedBefore) {}

    /** The number of lines dropped in the previous minute; empty when this line must be dropped too. */
    public OptionalLong pass(String source) {
        if (sources.size() > MAX_SOURCES) {
            sources.clear();
        }
        long now = nanos.getAsLong();
        Lines lines = sources.compute(source, (key, before) -> {
            if (before == null || now - before.since >= MINUTE) {
                return new Lines(now, 1, 0, before == null ? 0 : before.dropped);
            }
            return before.written < MAX_LINES
                    ? new Lines(before.since, before.written + 1, 0, 0)
                    : new Lines(before.since, before.written, before.dropped + 1, 0);
        });
        return lines.dropped > 0 ? OptionalLong.empty() : OptionalLong.of(lines.droppedBefore);
    }
}
