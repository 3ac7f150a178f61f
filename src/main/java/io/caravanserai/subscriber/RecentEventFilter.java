package io.caravanserai.subscriber;

import io.caravanserai.bus.EventHandler;
import io.caravanserai.event.CloudEvent;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * Spares a subscriber that hears of an event by two ways most of the second: what is under way or was handled of late is
 * remembered in memory. What has been forgotten here, or was heard by another process, the subscriber itself must know.
 * Thread-safe.
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

    /** One that throws must not leave behind somebody to wait for. */
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
