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
 * The events that this hub's store has recorded, asked for by what came over the bus. Those just relayed are remembered, so
 * that most questions cost no read; the others cost one, whoever asks how often. Thread-safe.
 */
public final class RecordedEvents {
    private static final Logger LOG = LoggerFactory.getLogger(RecordedEvents.class);

    /** Uses the index of the order; an order has some ten events. */
    private static final String OF_ORDER = "SELECT * FROM events WHERE order_id = ? AND id = ?";

    private static final int REMEMBERED = 8_192;
    private static final long REMEMBERED_CHARACTERS = 4L * 1024 * 1024;
    private static final int TOLD_A_MINUTE = 20;
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final Store store;
    private final Clock clock;
    private final SingleFlight<Key, Optional<CloudEvent>> beingRead = new SingleFlight<>();
    private final Map<String, CloudEvent> recent = new LinkedHashMap<>();
    private long characters;
    private final Set<String> told = new LinkedHashSet<>();
    private Instant minute = Instant.EPOCH;
    private int toldThisMinute;
    private long untold;

    private record Key(String id, String orderId) {}

    public RecordedEvents(Store store, Clock clock) {
        this.store = store;
        this.clock = clock;
    }

    /** Remembers events that are about to be published, as the log has them. */
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
            while (recent.size() > REMEMBERED || characters > REMEMBERED_CHARACTERS) {
                characters -= eldest.next().data().length();
                eldest.remove();
            }
        }
    }

    /**
     * The event as recorded, whatever else the one that came says.
     *
     * @return empty when the store has none of that id, order and type. Fails when the store cannot be read.
     */
    public CompletableFuture<Optional<CloudEvent>> find(CloudEvent claimed) {
        CloudEvent known;
        synchronized (recent) {
            known = recent.get(claimed.id());
        }
        if (known != null) {
            return CompletableFuture.completedFuture(judged(claimed, Optional.of(known)));
        }
        return beingRead
                .get(new Key(claimed.id(), claimed.orderId()), () -> read(claimed))
                .thenApply(found -> judged(claimed, found));
    }

    private CompletableFuture<Optional<CloudEvent>> read(CloudEvent claimed) {
        return store.read(tx -> tx.first(OF_ORDER, row -> StoredEvent.of(row).event(), claimed.orderId(), claimed.id()))
                .thenApply(found -> {
                    found.ifPresent(this::remember);
                    return found;
                });
    }

    private Optional<CloudEvent> judged(CloudEvent claimed, Optional<CloudEvent> found) {
        Optional<CloudEvent> same =
                found.filter(event -> event.orderId().equals(claimed.orderId()) && event.type() == claimed.type());
        if (same.isEmpty()) {
            tell(claimed);
        }
        return same;
    }

    /** Once for each event, however many subscribers hear it; a flood of them is counted. */
    private synchronized void tell(CloudEvent foreign) {
        if (!told.add(foreign.id())) {
            return;
        }
        if (told.size() > REMEMBERED) {
            var eldest = told.iterator();
            eldest.next();
            eldest.remove();
        }
        Instant now = clock.instant();
        if (Duration.between(minute, now).compareTo(MINUTE) >= 0) {
            if (untold > 0) {
                LOG.atWarn()
                        .addKeyValue("events", untold)
                        .log("more events were ignored that this hub has not recorded");
            }
            minute = now;
            toldThisMinute = 0;
            untold = 0;
        }
        if (toldThisMinute >= TOLD_A_MINUTE) {
            untold++;
            return;
        }
        toldThisMinute++;
        LOG.atWarn()
                .addKeyValue("eventId", foreign.id())
                .addKeyValue("type", foreign.type())
                .addKeyValue("orderId", foreign.orderId())
                .log("event ignored: this hub has not recorded it, so somebody else has published it");
    }
}
