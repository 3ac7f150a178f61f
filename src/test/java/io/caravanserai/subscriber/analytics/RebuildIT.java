package io.caravanserai.subscriber.analytics;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventType;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.outbox.StoredEvent;
import io.caravanserai.store.ForwardingStore;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.store.UnitOfWork;
import io.caravanserai.support.Ids;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RebuildIT {
    @TempDir
    private Path folder;

    private Store store;
    private Outbox outbox;
    private EventLog log;

    @BeforeEach
    void open() {
        store = SqliteStore.open(folder);
        outbox = new Outbox(new Ids(), Clock.systemUTC(), List.of(), event -> {});
        log = new EventLog(store);
    }

    @AfterEach
    void close() {
        store.close();
    }

    private CloudEvent created(String orderId) {
        return happened(orderId, new EventData.OrderCreated("C-1", List.of(), "EUR", new BigDecimal("100.00")));
    }

    private CloudEvent happened(String orderId, EventData data) {
        store.write("test", orderId, tx -> outbox.append(tx, orderId, data, 1, EventContext.NONE))
                .join();
        List<StoredEvent> all = log.ofOrder(orderId, 0, 10).join();
        return all.get(all.size() - 1).event();
    }

    @Test
    void eventHandledAfterLaterEventsIsCounted() {
        Analytics live = new Analytics(store, log);
        CloudEvent first = created("a");
        CloudEvent second = happened("a", new EventData.ItemsReserved());
        live.handle(second).join();
        live.handle(first).join();

        assertSameAfterRebuild(live);
        assertThat(live.figures().join().byStatus()).isEqualTo(Map.of("RESERVED", 1L));
        assertThat(live.figures().join().amounts()).hasSize(1);
    }

    @Test
    void eventMissingInLogIsNotCounted() {
        Analytics live = new Analytics(store, log);
        live.handle(created("a")).join();
        live.handle(elsewhere("a")).join();
        live.handle(elsewhere("b")).join();
        live.handle(happened("a", new EventData.ItemsReserved())).join();

        assertSameAfterRebuild(live);
        assertThat(live.figures().join().byStatus()).isEqualTo(Map.of("RESERVED", 1L));
    }

    /** An event of another hub or of an unknown order; the log does not have the id. */
    private static CloudEvent elsewhere(String orderId) {
        return new CloudEvent(
                "~", EventType.OrderCancelled, 1, orderId, Instant.now(), EventContext.NONE, """
                {"orderId": "%s", "reason": "timed-out"}""".formatted(orderId));
    }

    @Test
    void orderDeletedBeforeDeliveryIsCounted() {
        Analytics live = new Analytics(store, log);
        created("heard of");
        List<CloudEvent> unheard = List.of(created("unheard"));
        live.handle(log.ofOrder("heard of", 0, 1).join().get(0).event()).join();
        store.write("test", "unheard", tx -> {
                    live.forget(tx, unheard);
                    return tx.update("DELETE FROM events WHERE order_id = 'unheard'");
                })
                .join();

        live.handle(unheard.get(0)).join();

        assertSameAfterRebuild(live);
        assertThat(live.figures().join().orders()).isEqualTo(2);
    }

    private static void assertSameAfterRebuild(Analytics live) {
        Figures before = live.figures().join();
        live.rebuild().join();
        assertThat(live.figures().join()).isEqualTo(before);
    }

    @Test
    void orderCountedDuringLastPageOfRebuildIsNotLost() {
        AtomicInteger reads = new AtomicInteger();
        Analytics[] live = new Analytics[1];
        live[0] = new Analytics(store, new EventLog(new Watched(store, () -> {
            if (reads.incrementAndGet() == 1) {
                live[0].handle(created("late")).join();
            }
        })));
        live[0].handle(created("early")).join();

        live[0].rebuild().join();

        assertThat(reads).hasValue(1);
        assertThat(live[0].figures().join().byStatus()).isEqualTo(Map.of("CREATED", 2L));
    }

    /** Runs an action after each read, before the result is used. */
    private static final class Watched extends ForwardingStore {
        private final Runnable afterRead;

        Watched(Store store, Runnable afterRead) {
            super(store);
            this.afterRead = afterRead;
        }

        @Override
        public <T> CompletableFuture<T> read(UnitOfWork<T> query) {
            return store.read(query).thenApplyAsync(result -> {
                afterRead.run();
                return result;
            });
        }
    }
}
