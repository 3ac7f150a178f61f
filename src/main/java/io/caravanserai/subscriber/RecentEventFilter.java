package io.caravanserai.subscriber;

import io.caravanserai.bus.EventHandler;
import io.caravanserai.event.CloudEvent;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * Filters most duplicate events of a subscriber that receives events in two ways. Keeps the events in flight and the
 * recently handled events in memory. The subscriber itself must detect other duplicates: of evicted events and of
 * events that another process handled. Thread-safe.
 */
public final class RecentEventFilter implements EventHandler {
    private static final int REMEMBERED = 16_384;

    private final EventHandler subscriber;
    private final Map<String, CompletableFuture<Void>> recent = new LinkedHashMap<>();

    public RecentEventFilter(EventHandler subscriber) {
        this.subscriber = subscriber;
    }

    @Override
    public CompletableFuture<Void> handle(CloudEvent event) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        synchronized (recent) {
            CompletableFuture<Void> before = recent.putIfAbsent(event.id(), done);
            if (before != null) {
                return before;
            }
            if (recent.size() > REMEMBERED) {
                var eldest = recent.values().iterator();
                eldest.next();
                eldest.remove();
            }
        }
        handled(event).whenComplete((handled, failure) -> {
            if (failure == null) {
                done.complete(null);
            } else {
                forget(event.id());
                done.completeExceptionally(failure);
            }
        });
        return done;
    }

    /** Converts an exception to a failed future, so that no entry remains that never completes. */
    private CompletableFuture<Void> handled(CloudEvent event) {
        try {
            return subscriber.handle(event);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private void forget(String eventId) {
        synchronized (recent) {
            recent.remove(eventId);
        }
    }

    @Override
    public boolean wants(String type) {
        return subscriber.wants(type);
    }
}
