package io.caravanserai.app;

import java.time.Duration;
import java.util.Arrays;
import java.util.Deque;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes the parts of a hub in reverse order of the start. A part that does not close in time, for example the client
 * of a broker that does not answer, is abandoned: the work of the part is in the store, as after a crash.
 */
final class StopSequence {
    private static final Logger LOG = LoggerFactory.getLogger(StopSequence.class);

    private static final Duration MAX_OF_ONE = Duration.ofSeconds(8);
    private static final Duration MAX_OF_ALL = Duration.ofSeconds(20);
    /** The minimum time for a part when the other parts have used up the total time. */
    private static final Duration MIN_OF_ONE = Duration.ofMillis(200);

    private static final int FRAMES = 4;

    private final Duration maxOfOne;
    private final Duration maxOfAll;

    StopSequence() {
        this(MAX_OF_ONE, MAX_OF_ALL);
    }

    StopSequence(Duration maxOfOne, Duration maxOfAll) {
        this.maxOfOne = maxOfOne;
        this.maxOfAll = maxOfAll;
    }

    /** @param name for the log */
    record Part(String name, AutoCloseable it) {}

    /** Removes and closes each part. Returns when each part is closed or abandoned. */
    void close(Deque<Part> parts) {
        long began = System.nanoTime();
        while (!parts.isEmpty()) {
            Duration left = maxOfAll.minusNanos(System.nanoTime() - began);
            Duration patience = left.compareTo(maxOfOne) < 0 ? left : maxOfOne;
            close(parts.pop(), patience.compareTo(MIN_OF_ONE) < 0 ? MIN_OF_ONE : patience);
        }
    }

    private static void close(Part part, Duration patience) {
        Thread closing = new Thread(
                () -> {
                    try {
                        part.it().close();
                    } catch (Exception e) {
                        LOG.atWarn()
                                .addKeyValue("part", part.name())
                                .setCause(e)
                                .log("stopping a part of the hub failed; stopping goes on");
                    }
                },
                "stop-" + part.name());
        closing.setDaemon(true);
        closing.start();
        try {
            closing.join(patience.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (closing.isAlive()) {
            String stack = Arrays.stream(closing.getStackTrace())
                    .limit(FRAMES)
                    .map(StackTraceElement::toString)
                    .collect(Collectors.joining(" < "));
            LOG.atWarn()
                    .addKeyValue("part", part.name())
                    .addKeyValue("at", stack)
                    .log("a part of the hub did not stop in time; stopping goes on without it");
        }
    }
}
