package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.order.Style;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.process.ChoreographyDeadlines;
import io.caravanserai.saga.SagaStatus;
import io.caravanserai.saga.SqlSagaLog;
import io.caravanserai.service.order.OrderFilter;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.ForwardingStore;
import io.caravanserai.store.Row;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import io.caravanserai.store.UnitOfWork;
import io.caravanserai.support.Ids;
import io.caravanserai.telemetry.OpenWork;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** No list and no periodic pass scans all orders, sagas or dead letters. */
class ListPlansIT {
    @TempDir
    Path folder;

    private Store store;
    private final List<String> plans = new ArrayList<>();
    /** The plans of the same queries for keys only: an index that covers all columns evaluates all filters. */
    private final List<String> keyPlans = new ArrayList<>();

    @BeforeEach
    void open() {
        store = new Explained(SqliteStore.open(folder));
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void everyOrderFilterUsesAnIndex() {
        Orders orders = new Orders(Clock.systemUTC());
        List<OrderStatus> statuses = new ArrayList<>(List.of(OrderStatus.values()));
        statuses.add(null);
        for (OrderStatus status : statuses) {
            for (OrderStyle style : new OrderStyle[] {null, Style.QUEUE}) {
                for (String customer : new String[] {null, "C-1"}) {
                    store.read(tx -> orders.list(tx, new OrderFilter(status, style, customer, null, 51)))
                            .join();
                }
            }
        }
        assertThat(plans).hasSizeGreaterThanOrEqualTo(24).allSatisfy(ListPlansIT::isASearch);
    }

    @Test
    void periodicPassesReadOnlyOpenRows() {
        Orders orders = new Orders(Clock.systemUTC());
        store.read(tx -> orders.unfinished(tx, 0, Instant.now(), 500)).join();
        try (ChoreographyDeadlines sagaless =
                new ChoreographyDeadlines(store, orders, null, null, Clock.systemUTC(), Duration.ofSeconds(60))) {
            sagaless.runOnce(Instant.now()).join();
        }
        assertThat(plans).hasSize(2).allSatisfy(ListPlansIT::isASearch);
        assertThat(plans.get(1)).contains("orders_without_saga (accepted_running<?)");
    }

    @Test
    void sagasAndDeadLettersAndEventsAreFoundByAnIndex() {
        SqlSagaLog sagas = new SqlSagaLog(Clock.systemUTC());
        for (SagaStatus status : SagaStatus.values()) {
            store.read(tx -> sagas.list(tx, status, null, 51)).join();
        }
        DeadLetters letters = new DeadLetters(store, new Ids(), Clock.systemUTC());
        for (String source : new String[] {null, "orders"}) {
            for (String reason : new String[] {null, "invalid"}) {
                for (String type : new String[] {null, "OrderCreated"}) {
                    letters.list(new DeadLetters.Filter(source, reason, type), null, 51)
                            .join();
                }
            }
        }
        new EventLog(store).ofOrder("o-1", 0, 51).join();
        assertThat(plans).hasSize(14).allSatisfy(ListPlansIT::isASearch);
    }

    /** One customer may have a third of all orders, one source nearly all dead letters. */
    @Test
    void selectiveFiltersAreEvaluatedWithinTheIndex() {
        Orders orders = new Orders(Clock.systemUTC());
        for (OrderStyle style : new OrderStyle[] {null, Style.QUEUE}) {
            for (OrderStatus status : List.of(OrderStatus.CREATED, OrderStatus.PAID, OrderStatus.CANCELLED)) {
                OrderFilter filter = new OrderFilter(status, style, "C-1", null, 51);
                store.read(tx -> orders.list(tx, filter)).join();
            }
            OrderFilter open = new OrderFilter(OrderStatus.RESERVED, style, null, null, 51);
            store.read(tx -> orders.list(tx, open)).join();
        }
        DeadLetters letters = new DeadLetters(store, new Ids(), Clock.systemUTC());
        for (DeadLetters.Filter filter : List.of(
                new DeadLetters.Filter("orders", null, "OrderCreated"),
                new DeadLetters.Filter(null, "invalid", "OrderCreated"),
                new DeadLetters.Filter("orders", "invalid", "OrderCreated"))) {
            letters.list(filter, null, 51).join();
        }
        assertThat(keyPlans)
                .hasSize(11)
                .allSatisfy(plan -> assertThat(plan).contains("USING COVERING INDEX"))
                .noneSatisfy(plan -> assertThat(plan).contains("INDEX orders_by_customer"));
    }

    @Test
    void metricsCountOpenWorkInAnIndex() {
        store.read(tx -> OpenWork.read(tx, Map.of(), Clock.systemUTC())).join();
        store.read(tx -> new Orders(Clock.systemUTC()).flowsInUse(tx)).join();
        assertThat(plans)
                .hasSize(5)
                .allSatisfy(plan -> assertThat(plan)
                        .containsAnyOf(
                                "INDEX orders_unfinished",
                                "INDEX events_to_send",
                                "INDEX events_to_kafka",
                                "COVERING INDEX dead_letters_by_source_and_reason"));
    }

    /** A scan of the index of open rows is allowed, because few rows are open. */
    private static void isASearch(String plan) {
        assertThat(plan).startsWith("SEARCH");
        assertThat(plan.replace("SCAN sagas USING INDEX sagas_open", "")).doesNotContain("SCAN");
    }

    /** Records the query plan of each query. */
    private final class Explained extends ForwardingStore {
        Explained(Store store) {
            super(store);
        }

        @Override
        public <T> CompletableFuture<T> read(UnitOfWork<T> query) {
            return store.read(tx -> query.run(new Plans(tx)));
        }
    }

    private final class Plans implements Transaction {
        private final Transaction tx;

        Plans(Transaction tx) {
            this.tx = tx;
        }

        private void explain(String sql, Object... arguments) throws SQLException {
            plans.add(plan(sql, arguments));
            keyPlans.add(plan(sql.replaceFirst("SELECT seq,[^?]+FROM orders", "SELECT seq FROM orders"), arguments));
        }

        private String plan(String sql, Object... arguments) throws SQLException {
            return String.join("; ", tx.list("EXPLAIN QUERY PLAN " + sql, row -> row.getString("detail"), arguments));
        }

        @Override
        public int update(String sql, Object... arguments) throws SQLException {
            return tx.update(sql, arguments);
        }

        @Override
        public <T> Optional<T> first(String sql, Row<T> row, Object... arguments) throws SQLException {
            explain(sql, arguments);
            return tx.first(sql, row, arguments);
        }

        @Override
        public <T> List<T> list(String sql, Row<T> row, Object... arguments) throws SQLException {
            explain(sql, arguments);
            return tx.list(sql, row, arguments);
        }

        @Override
        public void afterCommit(Runnable action) {
            tx.afterCommit(action);
        }
    }
}
