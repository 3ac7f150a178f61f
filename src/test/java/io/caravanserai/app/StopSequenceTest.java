package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravanserai.app.StopSequence.Part;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class StopSequenceTest {
    private final List<String> closed = new CopyOnWriteArrayList<>();
    private final Deque<Part> parts = new ArrayDeque<>();

    private void started(String name, AutoCloseable part) {
        parts.push(new Part(name, () -> {
            part.close();
            closed.add(name);
        }));
    }

    @Test
    void partsCloseInReverseAndAFailureStopsNothing() {
        started("first", () -> {});
        parts.push(new Part("broken", () -> {
            throw new IllegalStateException("on purpose");
        }));
        started("last", () -> {});

        new StopSequence().close(parts);

        assertThat(closed).containsExactly("last", "first");
    }

    @Test
    void hangingPartsAreAbandoned() {
        CountDownLatch never = new CountDownLatch(1);
        started("first", () -> {});
        for (int i = 0; i < 3; i++) {
            started("hangs", never::await);
        }
        long began = System.nanoTime();

        new StopSequence(Duration.ofMillis(300), Duration.ofMillis(500)).close(parts);

        assertThat(closed).containsExactly("first");
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
    }
}
