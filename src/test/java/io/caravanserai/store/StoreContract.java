package io.caravanserai.store;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The contract of every store implementation. */
public abstract class StoreContract {
    private static final String SET =
            "INSERT INTO stock (sku, on_hand) VALUES (?, ?) ON CONFLICT (sku) DO UPDATE SET on_hand = excluded.on_hand";
    private static final String ADD = "UPDATE stock SET on_hand = on_hand + ? WHERE sku = ?";
    private static final String GET = "SELECT on_hand FROM stock WHERE sku = ?";

    /** The store under test, open and empty of stock. */
    protected abstract Store store();

    @Test
    void writeIsVisibleToReadsOnceFutureCompletes() throws Exception {
        set("a", 7);

        assertThat(get("a")).contains(7L);
    }

    @Test
    void unitsOfOneKeyRunInOrderOfSubmission() throws Exception {
        List<Integer> ran = new CopyOnWriteArrayList<>();
        set("a", 0);

        List<CompletableFuture<Integer>> all = IntStream.range(0, 500)
                .mapToObj(i -> store().write("add", "a", tx -> {
                    tx.update(ADD, 1, "a");
                    tx.afterCommit(() -> ran.add(i));
                    return tx.first(GET, row -> row.getInt(1), "a").orElseThrow();
                }))
                .toList();

        for (int i = 0; i < all.size(); i++) {
            assertThat(all.get(i).get(60, SECONDS)).isEqualTo(i + 1);
        }
        assertThat(ran).hasSize(500);
    }

    /** An idempotent consumer in a flow waits like this. */
    @Test
    void aCallbackMayWaitForTheStoreWithoutDeadlock() throws Exception {
        set("a", 0);

        List<CompletableFuture<Integer>> all = IntStream.range(0, 200)
                .mapToObj(i -> store().write("add", "a", tx -> tx.update(ADD, 1, "a"))
                        .thenApply(added -> store().read(tx -> tx.first(GET, row -> row.getInt(1), "a"))
                                .join())
                        .thenApply(seen -> store().write("add", "a", tx -> tx.update(ADD, 1, "a"))
                                .join()))
                .toList();

        for (CompletableFuture<Integer> each : all) {
            assertThat(each.get(60, SECONDS)).isEqualTo(1);
        }
        assertThat(get("a")).contains(400L);
    }

    @Test
    void failedUnitIsRolledBackAlone() throws Exception {
        set("good", 0);
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            boolean bad = i % 3 == 1;
            all.add(store().write("mixed", "good", tx -> {
                tx.update(ADD, bad ? 1_000 : 1, "good");
                if (bad) {
                    throw new IllegalStateException("refused");
                }
                return null;
            }));
        }

        int failed = 0;
        for (CompletableFuture<Void> each : all) {
            try {
                each.get(60, SECONDS);
            } catch (ExecutionException e) {
                assertThat(e.getCause()).isExactlyInstanceOf(IllegalStateException.class);
                failed++;
            }
        }
        assertThat(failed).isEqualTo(100);
        assertThat(get("good")).contains(200L);
    }

    @Test
    void refusedStatementRollsUnitBack() throws Exception {
        set("a", 1);

        CompletableFuture<Void> refused = store().write("bad", "a", tx -> {
            tx.update(ADD, 5, "a");
            tx.update(ADD, -100, "a");
            return null;
        });

        assertThatThrownBy(() -> refused.get(60, SECONDS)).hasMessageContaining("CHECK");
        assertThat(get("a")).contains(1L);
        assertThat(store().unavailableReason()).isEmpty();
    }

    @Test
    void afterCommitActionsRunOnlyWhenTheUnitIsDurable() throws Exception {
        AtomicInteger followed = new AtomicInteger();
        set("a", 1);

        CompletableFuture<Void> refused = store().write("bad", "a", tx -> {
            tx.afterCommit(followed::incrementAndGet);
            throw new IllegalStateException("refused");
        });

        assertThatThrownBy(() -> refused.get(60, SECONDS)).hasMessageContaining("refused");
        assertThat(followed).hasValue(0);
    }

    @Test
    void aReadSeesOneStateThroughout() throws Exception {
        set("a", 1);
        CompletableFuture<Void> changed = new CompletableFuture<>();
        CompletableFuture<List<Long>> seen = store().read(tx -> {
            long before = tx.first(GET, row -> row.getLong(1), "a").orElseThrow();
            store().write("set", "a", w -> w.update(SET, "a", 2L)).thenRun(() -> changed.complete(null));
            changed.join();
            return List.of(before, tx.first(GET, row -> row.getLong(1), "a").orElseThrow());
        });

        assertThat(seen.get(60, SECONDS)).containsExactly(1L, 1L);
    }

    @Test
    void aReadChangesNothing() throws Exception {
        set("a", 1);

        store().read(tx -> tx.update(SET, "a", 9L))
                .handle((done, failure) -> null)
                .get(60, SECONDS);

        assertThat(get("a")).contains(1L);
    }

    private void set(String sku, long onHand) throws Exception {
        store().write("set", sku, tx -> tx.update(SET, sku, onHand)).get(60, SECONDS);
    }

    private Optional<Long> get(String sku) throws Exception {
        return store().read(tx -> tx.first(GET, row -> row.getLong(1), sku)).get(60, SECONDS);
    }
}
