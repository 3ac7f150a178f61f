package io.caravanserai.outbox;

import io.caravanserai.event.CloudEvent;
import io.caravanserai.store.SingleFlight;
import io.caravanserai.store.Store;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks up the recorded events of this hub's store for events from the bus. Recently relayed events are cached, so most
 * lookups need no read. Parallel lookups of one event share a read. Thread-safe.
 */
public final class RecordedEvents {
    private static final Logger LOG = LoggerFactory.getLogger(RecordedEvents.class);

    /** Uses the index on order_id; an order has about ten events. */
    private static final String OF_ORDER = "SELECT * FROM events WHERE order_id = ? AND id = ?";

    private static final int CACHE_SIZE = 8_192;
    private static final long CACHE_CHARACTERS = 4L * 1024 * 1024;
    private static final int MAX_LINES_PER_MINUTE = 20;
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final Store store;
    private final Clock clock;
    private final SingleFlight<Key, Optional<CloudEvent>> beingRead = new SingleFlight<>();
    private final Map<String, CloudEvent> recent = new LinkedHashMap<>();
    private long characters;
    private final Set<String> logged = new LinkedHashSet<>();
    private Instant minute = Instant.EPOCH;
    private int linesThisMinute;
    private long suppressed;

    private record Key(String id, String orderId) {}

    public RecordedEvents(Store store, Clock clock) {
        this.store = store;
        this.clock = clock;
    }

    /** Caches events before publication, as recorded in the log. */
    void remember(List<StoredEvent> events) {
        events.forEach(each -> remember(each.event()));
    }

    private void remember(CloudEvent event) {
        synchronized (recent) {
            if (recent.putIfAbsent(event.id(), event) != null) {
                return;
            }
            characters += event.data().length();
            var eldest = recent.values().iterator();
            while (recent.size() > CACHE_SIZE || characters > CACHE_CHARACTERS) {
                characters -= eldest.next().data().length();
                eldest.remove();
            }
        }
    }

    /**
     * The recorded form of an event, regardless of other differences in the claimed event.
     *
     * @return empty when the store has no event with the same id, order and type. Fails when the store cannot be read.
     */
    public CompletableFuture<Optional<CloudEvent>> find(CloudEvent claimed) {
        CloudEvent known;
        synchronized (recent) {
            known = recent.get(claimed.id());
        }
        if (known != null) {
            return CompletableFuture.completedFuture(matching(claimed, Optional.of(known)));
        }
        return beingRead
                .get(new Key(claimed.id(), claimed.orderId()), () -> read(claimed))
                .thenApply(found -> matching(claimed, found));
    }

    private CompletableFuture<Optional<CloudEvent>> read(CloudEvent claimed) {
        return store.read(tx -> tx.first(OF_ORDER, row -> StoredEvent.of(row).event(), claimed.orderId(), claimed.id()))
                .thenApply(found -> {
                    found.ifPresent(this::remember);
                    return found;
                });
    }

    private Optional<CloudEvent> matching(CloudEvent claimed, Optional<CloudEvent> found) {
        Optional<CloudEvent> same =
                found.filter(event -> event.orderId().equals(claimed.orderId()) && event.type() == claimed.type());
        if (same.isEmpty()) {
            logForeign(claimed);
        }
        return same;
    }

    /**
     * Logs a foreign event once, for all subscribers together. The number of lines per minute is limited; suppressed
     * events are counted.
     */
    private synchronized void logForeign(CloudEvent foreign) {
        if (!logged.add(foreign.id())) {
            return;
        }
        if (logged.size() > CACHE_SIZE) {
            var eldest = logged.iterator();
            eldest.next();
            eldest.remove();
        }
        Instant now = clock.instant();
        if (Duration.between(minute, now).compareTo(MINUTE) >= 0) {
            if (suppressed > 0) {
                LOG.atWarn()
                        .addKeyValue("events", suppressed)
                        .log("further unrecorded events ignored in the last minute");
            }
            minute = now;
            linesThisMinute = 0;
            suppressed = 0;
        }
        if (linesThisMinute >= MAX_LINES_PER_MINUTE) {
            suppressed++;
            return;
        }
        linesThisMinute++;
        LOG.atWarn()
                .addKeyValue("eventId", foreign.id())
                .addKeyValue("type", foreign.type())
                .addKeyValue("orderId", foreign.orderId())
                .log("event ignored: not recorded by this hub, published by another client");
    }
}
