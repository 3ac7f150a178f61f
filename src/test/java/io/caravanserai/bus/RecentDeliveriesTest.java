package io.caravanserai.bus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RecentDeliveriesTest {
    private final AtomicLong nanos = new AtomicLong(7);
    private final AtomicInteger started = new AtomicInteger();
    private final RecentDeliveries recent = new RecentDeliveries(nanos::get);
    private CompletableFuture<Void> next = CompletableFuture.completedFuture(null);

    @Test
    void immediatelyRedeliveredEventIsHandledOnce() {
        deliver();
        deliver();

        assertThat(started).hasValue(1);
    }

    @Test
    void eventRepeatedByRecoveryIsHandledAgain() {
        deliver();
        nanos.addAndGet(RecentDeliveries.REMEMBERED_FOR.toNanos() + 1);
        deliver();

        assertThat(started).hasValue(2);
    }

    @Test
    void deliveryInFlightIsSharedForAnyDuration() {
        next = new CompletableFuture<>();
        deliver();
        nanos.addAndGet(10 * RecentDeliveries.REMEMBERED_FOR.toNanos());
        deliver();

        assertThat(started).hasValue(1);
    }

    @Test
    void eventAfterLastAttemptIsHandledAgain() {
        deliver();
        recent.forget("key");
        deliver();

        assertThat(started).hasValue(2);
    }

    private void deliver() {
        recent.shared("key", () -> {
            started.incrementAndGet();
            return next;
        });
    }
}
