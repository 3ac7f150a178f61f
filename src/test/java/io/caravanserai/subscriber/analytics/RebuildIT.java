package io.caravanserai.subscriber.analytics;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravanserai.Ids;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.store.ForwardingStore;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.store.UnitOfWork;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Clock;
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
        EventData created = new EventData.OrderCreated("C-1", List.of(), "EUR", new BigDecimal("100.00"));
        store.write("test", orderId, tx -> outbox.append(tx, orderId, created, 1, EventContext.NONE))
                .join();
        return log.ofOrder(orderId, 0, 1).join().get(0).event();
    }

    @Test
    void anOrderThatIsCountedWhileTheLastEventsAreReadIsNotLost() {
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

    /** Has something happen after each read, before its result is used. */
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
