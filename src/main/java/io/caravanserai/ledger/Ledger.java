package io.caravanserai.ledger;

import io.caravanserai.event.EventType;
import io.caravanserai.event.OrderEvent;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import io.caravanserai.support.PeriodicTask;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks each order at its end, and all orders in a repeated background scan. A violation is one log line, and stays in
 * {@link #report} until the order is consistent again. Thread-safe.
 */
public final class Ledger implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);
    private static final long PASS_MILLIS = 500;
    /** Orders per pass: a scan of a million orders takes some minutes and a few hundredths of one core. */
    private static final int BATCH_SIZE = 2_000;
    /** Capacity of the queue of recently ended orders. The background scan covers the overflow. */
    private static final int MAX_ENDED = 1_000;

    private static final Duration SCAN_INTERVAL = Duration.ofMinutes(1);
    private static final int MAX_VIOLATIONS = 10_000;
    private static final int MAX_REPORTED_ORDERS = 100;

    private final Store store;
    private final Clock clock;
    private final BlockingQueue<String> ended = new ArrayBlockingQueue<>(MAX_ENDED);
    private final Map<String, Map<Invariant, String>> violations = new TreeMap<>();
    private volatile PeriodicTask passes;
    private volatile long position;
    private volatile Instant nextScan = Instant.MIN;
    private volatile String stockFault = "";

    /**
     * The result of one invariant.
     *
     * @param detail readable text: the statement when ok, else the violation
     * @param orders ids of violating orders, at most 100
     */
    public record Check(String name, boolean ok, String detail, List<String> orders) {}

    /** The results of all invariants. */
    public record Report(boolean ok, Instant at, List<Check> checks) {}

    public Ledger(Store store, Clock clock) {
        this.store = store;
        this.clock = clock;
    }

    /** Starts the periodic checks. */
    public void watch() {
        passes = PeriodicTask.start("ledger", Duration.ZERO, Duration.ofMillis(PASS_MILLIS), this::pass);
    }

    /** Call with each event once the event is durable; never blocks. */
    public void happened(OrderEvent event) {
        if (event.type() == EventType.OrderShipped || event.type() == EventType.OrderCancelled) {
            ended.offer(event.orderId());
        }
    }

    private void pass() throws Exception {
        checkEnded().get(30, TimeUnit.SECONDS);
        checkNextBatch().get(30, TimeUnit.SECONDS);
    }

    /** Checks the orders that ended since the previous call. */
    private CompletableFuture<Void> checkEnded() {
        Set<String> ids = new HashSet<>();
        ended.drainTo(ids);
        return ids.isEmpty()
                ? CompletableFuture.completedFuture(null)
                : store.read(tx -> accounts(tx, ids)).thenAccept(this::updateViolations);
    }

    private static List<OrderAccount> accounts(Transaction tx, Set<String> ids) throws SQLException {
        List<OrderAccount> accounts = new ArrayList<>();
        for (String id : ids) {
            accounts.addAll(OrderAccount.of(tx, id));
        }
        return accounts;
    }

    /** Checks the next batch of orders. After the last batch also checks stock, then pauses before the next scan. */
    private CompletableFuture<Void> checkNextBatch() {
        Instant now = clock.instant();
        if (now.isBefore(nextScan)) {
            return CompletableFuture.completedFuture(null);
        }
        long after = position;
        return store.read(tx -> OrderAccount.after(tx, after, BATCH_SIZE)).thenCompose(page -> {
            updateViolations(page);
            if (page.size() == BATCH_SIZE) {
                position = page.get(page.size() - 1).sequence();
                return CompletableFuture.completedFuture(null);
            }
            position = 0;
            nextScan = now.plus(SCAN_INTERVAL);
            return checkStock();
        });
    }

    private synchronized void updateViolations(List<OrderAccount> accounts) {
        for (OrderAccount account : accounts) {
            Map<Invariant, String> found = account.violations();
            Map<Invariant, String> before = violations.getOrDefault(account.orderId(), Map.of());
            if (found.isEmpty()) {
                violations.remove(account.orderId());
            } else if (!found.equals(before) && violations.size() < MAX_VIOLATIONS) {
                violations.put(account.orderId(), found);
                found.forEach((invariant, detail) -> LOG.atError()
                        .addKeyValue("orderId", account.orderId())
                        .addKeyValue("invariant", invariant.wire())
                        .addKeyValue("detail", detail)
                        .log("invariant violated; a person must look at the order"));
            }
        }
    }

    /** The results of all invariants. Recently ended orders are checked first. */
    public CompletableFuture<Report> report() {
        return checkEnded().thenCompose(checked -> checkStock()).thenApply(checked -> {
            List<Check> checks =
                    Arrays.stream(Invariant.values()).map(this::check).toList();
            return new Report(checks.stream().allMatch(Check::ok), clock.instant(), checks);
        });
    }

    private CompletableFuture<Void> checkStock() {
        return store.read(ReservedStock::fault).thenAccept(fault -> stockFault = fault.orElse(""));
    }

    /** Whether an invariant held at the latest check. */
    public boolean holds(Invariant invariant) {
        return check(invariant).ok();
    }

    private synchronized Check check(Invariant invariant) {
        List<String> orders = violations.entrySet().stream()
                .filter(each -> each.getValue().containsKey(invariant))
                .map(Map.Entry::getKey)
                .limit(MAX_REPORTED_ORDERS)
                .toList();
        String fault = invariant == Invariant.STOCK ? stockFault : "";
        String detail = orders.isEmpty()
                ? fault
                : violations.get(orders.get(0)).get(invariant) + " (order " + orders.get(0) + ")";
        boolean ok = detail.isEmpty();
        return new Check(invariant.wire(), ok, ok ? invariant.meaning() : detail, orders);
    }

    @Override
    public void close() {
        if (passes != null) {
            passes.close();
        }
    }
}
