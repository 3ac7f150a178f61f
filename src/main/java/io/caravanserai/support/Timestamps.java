package io.caravanserai.support;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** Formats times for API responses. */
public final class Timestamps {
    private static final DateTimeFormatter RFC_3339 =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    private Timestamps() {}

    /** The time in RFC 3339, UTC, always with milliseconds; null for null. */
    public static String text(Instant time) {
        return time == null ? null : RFC_3339.format(time);
    }
}
