package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.deadletter.Replays;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.inbox.IdempotencyKeys;
import io.caravanserai.inbox.Inbox;
import io.caravanserai.order.Reason;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.outbox.EventRetention;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.store.ForwardingStore;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.store.UnitOfWork;
import io.caravanserai.subscriber.analytics.Analytics;
import io.caravanserai.subscriber.analytics.Figures;
import io.caravanserai.subscriber.notification.Notification;
import io.caravanserai.subscriber.notification.Notifications;
import io.caravanserai.support.Ids;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Deletion of old data, and data that must never be deleted. */
class RetentionJobsIT {
    private static final Duration RETENTION = Duration.ofDays(30);
    private static final Instant THEN = Instant.parse("2026-01-01T00:00:00Z");
    private static final Instant NOW = THEN.plus(RETENTION).plusSeconds(60);

    @TempDir
    private Path folder;

    private Store store;
    private Instant time = THEN;
    private final Clock clock = new Clock() {
        @Override
        public Instant instant() {
            return time;
        }

        @Override
        public ZoneOffset getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(java.time.ZoneId zone) {
            return this;
        }
    };
    private Outbox outbox;
    private EventLog log;
    private Notifications notifications;
    private Analytics analytics;
    private RetentionJobs housekeeping;

    @BeforeEach
    void open() {
        store = SqliteStore.open(folder);
        outbox = new Outbox(new Ids(), clock, List.of(), event -> {}, true);
        log = new EventLog(store);
        notifications = new Notifications(
                store, new Inbox(clock), new DeadLetters(store, new Ids(), clock), clock, waiting -> List.of());
        analytics = new Analytics(store, log);
        EventRetention events = new EventRetention(
                RETENTION,
                clock,
                List.of(notifications::forget, (tx, orderId, forgotten, before) -> analytics.forget(tx, forgotten)));
        housekeeping = new RetentionJobs(store).with("forget-events", events::purgeBatch);
    }

    @AfterEach
    void close() {
        housekeeping.close();
        notifications.close();
        store.close();
    }

    private void happened(String orderId, EventData... events) {
        for (EventData data : events) {
            store.write("test", orderId, tx -> outbox.append(tx, orderId, data, 1, EventContext.NONE))
                    .join();
        }
    }

    private static final EventData CREATED =
            new EventData.OrderCreated("C-1", List.of(), "EUR", new BigDecimal("100.00"));
    private static final EventData PAID = new EventData.PaymentProcessed(new BigDecimal("100.00"), "EUR", "pay-1");
    private static final EventData REFUNDED = new EventData.PaymentRefunded(new BigDecimal("100.00"), "EUR", "pay-1");
    private static final EventData RESERVED = new EventData.ItemsReserved();
    private static final EventData SHIPPED = new EventData.OrderShipped("trk-1");
    private static final EventData CANCELLED = new EventData.OrderCancelled(Reason.TIMED_OUT);

    private void sent(String where) {
        sql("UPDATE events SET sent_at = 1, kafka_sent_at = 1 WHERE " + where);
    }

    private void sql(String statement) {
        store.write("test", "test", tx -> tx.update(statement)).join();
    }

    private long rows(String table) {
        return store.read(tx -> tx.first("SELECT COUNT(*) FROM " + table, row -> row.getLong(1))
                        .orElseThrow())
                .join();
    }

    @Test
    void onlyOldEndedOrdersWithSentEventsAreDeletedFromLog() throws Exception {
        happened("shipped", RESERVED, SHIPPED);
        happened("cancelled", RESERVED, CANCELLED);
        happened("unfinished", RESERVED);
        sent("1 = 1");
        happened("unsent", RESERVED, SHIPPED);
        happened("unsent-to-kafka", RESERVED, SHIPPED);
        sql("UPDATE events SET sent_at = 1 WHERE order_id = 'unsent-to-kafka'");
        time = NOW.minus(Duration.ofDays(1));
        happened("young", RESERVED, SHIPPED);
        sent("order_id = 'young'");
        time = NOW;

        housekeeping.runOnce();

        assertThat(log.after(0, 100).join())
                .extracting(each -> each.event().orderId())
                .containsExactly(
                        "unfinished", "unsent", "unsent", "unsent-to-kafka", "unsent-to-kafka", "young", "young");

        sent("1 = 1");
        housekeeping.runOnce();

        assertThat(log.after(0, 100).join())
                .extracting(each -> each.event().orderId())
                .containsExactly("unfinished", "young", "young");
    }

    @Test
    void thousandsOfEventsAreDeletedInSmallUnitsAndSequencesAreNotReused() throws Exception {
        for (int i = 0; i < 700; i++) {
            happened("old-" + i, SHIPPED);
        }
        sent("1 = 1");
        long last = log.end().join();
        time = NOW;

        housekeeping.runOnce();

        // The last event keeps its sequence.
        assertThat(rows("events")).isEqualTo(1);
        happened("new", SHIPPED);
        assertThat(log.end().join()).isEqualTo(last + 1);
    }

    @Test
    void customerMessagesAndInboxEntriesAreDeletedWithOrder() throws Exception {
        happened("order", SHIPPED);
        sent("1 = 1");
        notifications.handle(log.after(0, 1).join().get(0).event()).join();
        assertThat(rows("inbox")).isEqualTo(1);
        sql("UPDATE notifications SET delivered_at = 1");
        time = NOW;
        happened("young", RESERVED);

        housekeeping.runOnce();

        List<Notification> told =
                store.read(tx -> notifications.ofOrder(tx, "order")).join();
        assertThat(told).isEmpty();
        assertThat(rows("inbox")).isZero();
    }

    private void counted() {
        log.after(0, 10_000)
                .join()
                .forEach(each -> analytics.handle(each.event()).join());
    }

    private Figures figures() {
        return analytics.figures().join();
    }

    @Test
    void rebuiltFiguresAreEqualAfterDeletionOfOldOrders() throws Exception {
        happened("shipped", CREATED, RESERVED, PAID, SHIPPED);
        happened("cancelled", CREATED, RESERVED, PAID, REFUNDED, CANCELLED);
        happened("unfinished", CREATED, RESERVED, PAID);
        sent("1 = 1");
        time = NOW;
        happened("young", CREATED, RESERVED);
        counted();
        Figures live = figures();

        housekeeping.runOnce();
        analytics.rebuild().join();

        assertThat(log.after(0, 100).join()).hasSize(5);
        assertThat(figures()).isEqualTo(live);

        happened("unfinished", SHIPPED);
        happened("young", PAID, SHIPPED);
        sent("1 = 1");
        counted();
        live = figures();
        time = NOW.plus(RETENTION).plusSeconds(60);
        housekeeping.runOnce();
        for (int again = 0; again < 2; again++) {
            analytics.rebuild().join();
        }

        assertThat(log.after(0, 100).join())
                .extracting(each -> each.event().orderId())
                .containsOnly("young");
        assertThat(figures()).isEqualTo(live);
        assertThat(live.byStatus()).isEqualTo(Map.of("SHIPPED", 3L, "CANCELLED", 1L));
    }

    @Test
    void figuresAreRightWhenOrdersAreDeletedDuringRebuild() throws Exception {
        // More than one page of a rebuild.
        for (int i = 0; i < 300; i++) {
            happened("old-" + i, CREATED, RESERVED, PAID, SHIPPED);
        }
        sent("1 = 1");
        counted();
        Figures live = figures();
        time = NOW;

        EventLog shrinking = new EventLog(new ForgetsBeforeRead(store, 1));
        new Analytics(store, shrinking).rebuild().join();

        // The events of the last order stay.
        assertThat(rows("events")).isEqualTo(4);
        assertThat(figures()).isEqualTo(live);
        analytics.rebuild().join();
        assertThat(figures()).isEqualTo(live);
    }

    @Test
    void idempotencyKeysAreDeletedAfterOneDayAndDeadLettersOnceSettled() throws Exception {
        IdempotencyKeys keys = new IdempotencyKeys(clock);
        DeadLetters letters = new DeadLetters(store, new Ids(), clock);
        letters.replayedBy("test", letter -> CompletableFuture.completedFuture(null));
        IntStream.range(0, 500)
                .forEach(i -> store.write("test", "test", tx -> keys.claim(tx, "key-" + i, "f", "o-" + i, "me", THEN))
                        .join());
        String settled = letters.add(letter("settled")).join();
        letters.add(letter("waiting")).join();
        letters.replay(settled).join();
        time = NOW;

        RetentionJobs chores = new RetentionJobs(store)
                .with("forget-keys", keys::purgeBatch)
                .with(
                        "forget-dead-letters",
                        tx -> letters.purgeBatch(tx, clock.instant().minus(RETENTION)));
        chores.runOnce();

        assertThat(rows("idempotency_keys")).isZero();
        assertThat(letters.get(settled).join()).isEmpty();
        assertThat(letters.list(DeadLetters.Filter.ALL, null, 10).join())
                .extracting(DeadLetter::origin)
                .containsExactly("waiting");
        chores.close();
    }

    @Test
    void replaysAreDeletedAfterRetention() throws Exception {
        DeadLetters letters = new DeadLetters(store, new Ids(), clock);
        CompletableFuture<Void> never = new CompletableFuture<>();
        letters.replayedBy(
                "test", letter -> letter.origin().equals("slow") ? never : CompletableFuture.completedFuture(null));
        IntStream.range(0, 250).forEach(i -> letters.add(letter("letter-" + i)).join());
        String slow = letters.add(letter("slow")).join();
        try (Replays replays = new Replays(store, letters, new Ids(), clock)) {
            DeadLetters.Filter all = DeadLetters.Filter.ALL;
            BigDecimal rate = BigDecimal.valueOf(100_000);
            String running = replays.begin(new Replays.Request(all, List.of(slow), rate, 1))
                    .join()
                    .id();
            List<String> quick = letters.list(all, slow, 250).join().stream()
                    .map(DeadLetter::id)
                    .toList();
            String ended = replays.begin(new Replays.Request(all, quick, rate, 1))
                    .join()
                    .id();
            await().until(() -> replays.progress(ended).join().orElseThrow().replayed() == 250);
            await().until(() ->
                    replays.progress(ended).join().orElseThrow().endedAt().isPresent());
            time = NOW;

            RetentionJobs chores = new RetentionJobs(store)
                    .with(
                            "forget-replays",
                            tx -> replays.purgeBatch(tx, clock.instant().minus(RETENTION)));
            chores.runOnce();
            chores.close();

            assertThat(replays.progress(ended).join()).isEmpty();
            assertThat(replays.progress(running).join().orElseThrow().remaining())
                    .isEqualTo(1);
            assertThat(rows("replay_letters")).isEqualTo(1);
        }
    }

    private static DeadLetter.Failed letter(String origin) {
        return new DeadLetter.Failed(origin, "test", "orders", null, "invalid-json", "no", Map.of(), "{", false);
    }

    /** Deletes all old data before one of the reads. */
    private final class ForgetsBeforeRead extends ForwardingStore {
        private final AtomicInteger reads;

        ForgetsBeforeRead(Store store, int which) {
            super(store);
            this.reads = new AtomicInteger(which);
        }

        @Override
        public <T> CompletableFuture<T> read(UnitOfWork<T> query) {
            if (reads.getAndDecrement() != 0) {
                return store.read(query);
            }
            return CompletableFuture.runAsync(() -> {
                        try {
                            housekeeping.runOnce();
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    })
                    .thenCompose(forgotten -> store.read(query));
        }
    }
}
