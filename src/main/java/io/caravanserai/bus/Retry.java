package io.caravanserai.bus;

import java.time.Duration;

/**
 * How often the bus tries an event before the event becomes a dead letter.
 *
 * @param attempts maximum number of attempts, the first one included
 * @param backoff pause before the second attempt; doubles with each attempt
 * @param maxBackoff upper limit of the pause
 */
public record Retry(int attempts, Duration backoff, Duration maxBackoff) {

    /**
     * The default. Long enough to survive the restart of a service, short enough to expose a permanent failure within a
     * minute.
     */
    public static final Retry USUAL = new Retry(8, Duration.ofMillis(100), Duration.ofSeconds(10));

    /** The pause after the given failed attempt, counted from 1. */
    Duration pauseAfter(int attempt) {
        Duration pause = backoff.multipliedBy(1L << Math.min(attempt - 1, 30));
        return pause.compareTo(maxBackoff) > 0 ? maxBackoff : pause;
    }
}
