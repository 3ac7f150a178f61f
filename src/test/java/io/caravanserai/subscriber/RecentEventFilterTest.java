package io.caravanserai.subscriber;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravanserai.bus.EventHandler;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventType;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class RecentEventFilterTest {
    private final List<String> handled = new ArrayList<>();

    @Test
    void eventDeliveredInBothWaysIsHandledOnce() {
        CompletableFuture<Void> inFlight = new CompletableFuture<>();
        EventHandler once = new RecentEventFilter(event -> {
            handled.add(event.id());
            return inFlight;
        });

        CompletableFuture<Void> byTheBus = once.handle(event("e"));
        CompletableFuture<Void> byTheFlow = once.handle(event("e"));
        assertThat(byTheFlow).isNotDone();
        inFlight.complete(null);

        assertThat(byTheBus).isCompleted();
        assertThat(byTheFlow).isCompleted();
        assertThat(once.handle(event("e"))).isCompleted();
        assertThat(handled).containsExactly("e");
    }

    @Test
    void failedEventIsHandledWhenRedelivered() {
        EventHandler once = new RecentEventFilter(event -> {
            handled.add(event.id());
            return handled.size() == 1
                    ? CompletableFuture.failedFuture(new IllegalStateException("not now"))
                    : CompletableFuture.completedFuture(null);
        });

        assertThat(once.handle(event("e"))).isCompletedExceptionally();
        assertThat(once.handle(event("e"))).isCompletedWithValue(null);
        assertThat(handled).containsExactly("e", "e");
    }

    @Test
    void eventAfterExceptionIsHandledWhenRedelivered() {
        EventHandler once = new RecentEventFilter(event -> {
            handled.add(event.id());
            if (handled.size() == 1) {
                throw new IllegalStateException("not now");
            }
            return CompletableFuture.completedFuture(null);
        });

        assertThat(once.handle(event("e"))).isCompletedExceptionally();
        assertThat(once.handle(event("e"))).isCompletedWithValue(null);
    }

    private static CloudEvent event(String id) {
        return new CloudEvent(id, EventType.ItemsReserved, 1, "o", Instant.EPOCH, EventContext.NONE, "{}");
    }
}
