package io.caravanserai.saga;

import java.time.Duration;

/**
 * The number of attempts, and the waits between attempts.
 *
 * @param attempts maximum number of attempts, 1 or more
 * @param first the wait before the second attempt; each further wait doubles
 */
public record Backoff(int attempts, Duration first) {
    private static final Duration MAX_WAIT = Duration.ofSeconds(30);

    /** The wait after the given number of failed attempts (1 or more); at most 30 s. */
    Duration after(int failedAttempts) {
        int doublings = Math.min(failedAttempts - 1, 20);
        Duration wait = first.multipliedBy(1L << doublings);
        return wait.compareTo(MAX_WAIT) > 0 ? MAX_WAIT : wait;
    }
}
