package io.caravanserai.bus;

import java.time.Duration;

/**
 * How often an event is tried before it becomes a dead letter.
 *
 * @param attempts in all
 * @param backoff before the second attempt; doubles with each
 * @param longest no pause is longer
 */
public record Retry(int attempts, Duration backoff, Duration longest) {

    /** Patient enough for a service that restarts, short enough that a hopeless event shows within a minute. */
    public static final Retry USUAL = new Retry(8, Duration.ofMillis(100), Duration.ofSeconds(10));

    /** The pause after an attempt that failed, counted from 1. */
    Duration pauseAfter(int attempt) {
        Duration pause = backoff.multipliedBy(1L << Math.min(attempt - 1, 30));
        return pause.compareTo(longest) > 0 ? longest : pause;
    }
}
