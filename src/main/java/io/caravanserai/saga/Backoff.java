package io.caravanserai.saga;

import java.time.Duration;

/**
 * How often and after what waits something is tried.
 *
 * @param attempts in all, 1 or more
 * @param first the wait before the second attempt; it doubles from then on
 */
public record Backoff(int attempts, Duration first) {
    private static final Duration LONGEST = Duration.ofSeconds(30);

    /** The wait after the given number of failed attempts, 1 or more; at most 30 s. */
    Duration after(int failedAttempts) {
        int doublings = Math.min(failedAttempts - 1, 20);
        Duration wait = first.multipliedBy(1L << doublings);
        return wait.compareTo(LONGEST) > 0 ? LONGEST : wait;
    }
}
