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
 * Checks each order when it has ended, and in the background all orders there are, again and again. A violation is one
 * line in the log, and stays in {@link #report} until the order agrees again. Thread-safe.
 */
public final class Ledger implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);
    private static final long PASS_MILLIS = 500;
    /** Orders a pass looks at: a million take some minutes, and a few hundredths of one core. */
    private static final int PER_PASS = 2_000;
    /** Orders that ended a moment ago. When there are more, the background comes to the rest. */
    private static final int MAX_ENDED = 1_000;

    private static final Duration BETWEEN_SCANS = Duration.ofMinutes(1);
    private static final int MAX_VIOLATIONS = 10_000;
    private static final int MAX_TOLD = 100;

    private final Store store;
    private final Clock clock;
    private final BlockingQueue<String> ended = new ArrayBlockingQueue<>(MAX_ENDED);
    private final Map<String, Map<Invariant, String>> violations = new TreeMap<>();
    private volatile PeriodicTask passes;
    private volatile long position;
    private volatile Instant nextScan = Instant.MIN;
    private volatile String stockFault = "";

    /**
     * How one law stands.
     *
     * @param detail for people
     * @param orders ids of orders that violate it, at most 100
     */
    public record Check(String name, boolean ok, String detail, List<String> orders) {}

    /** How all laws stand. */
    public record Report(boolean ok, Instant at, List<Check> checks) {}

    public Ledger(Store store, Clock clock) {
        this.store = store;
        this.clock = clock;
    }

    /** Looks at orders from now on. */
    public void watch() {
        passes = PeriodicTask.start("ledger", Duration.ZERO, Duration.ofMillis(PASS_MILLIS), this::pass);
    }

    /** To be told of each event once it is durable; never blocks. */
    public void happened(OrderEvent event) {
        if (event.type() == EventType.OrderShipped || event.type() == EventType.OrderCancelled) {
            ended.offer(event.orderId());
        }
    }

    private void pass() throws Exception {
        checkEnded().get(30, TimeUnit.SECONDS);
        checkSome().get(30, TimeUnit.SECONDS);
    }

    /** Checks the orders that have ended since the last time. */
    private CompletableFuture<Void> checkEnded() {
        Set<String> ids = new HashSet<>();
        ended.drainTo(ids);
        return ids.isEmpty()
                ? CompletableFuture.completedFuture(null)
                : store.read(tx -> accounts(tx, ids)).thenAccept(this::note);
    }

    private static List<OrderAccount> accounts(Transaction tx, Set<String> ids) throws SQLException {
        List<OrderAccount> accounts = new ArrayList<>();
        for (String id : ids) {
            accounts.addAll(OrderAccount.of(tx, id));
        }
        return accounts;
    }

    /** Checks the next orders, and stock once all have been looked at; then begins again after a while. */
    private CompletableFuture<Void> checkSome() {
        Instant now = clock.instant();
        if (now.isBefore(nextScan)) {
            return CompletableFuture.completedFuture(null);
        }
        long after = position;
        return store.read(tx -> OrderAccount.after(tx, after, PER_PASS)).thenCompose(page -> {
            note(page);
            if (page.size() == PER_PASS) {
                position = page.get(page.size() - 1).sequence();
                return CompletableFuture.completedFuture(null);
            }
            position = 0;
            nextScan = now.plus(BETWEEN_SCANS);
            return checkStock();
        });
    }

    private synchronized void note(List<OrderAccount> accounts) {
        for (OrderAccount account : accounts) {
            Map<Invariant, String> found = account.violations();
            Map<Invariant, String> before = violations.getOrDefault(account.orderId(), Map.of());
            if (found.isEmpty()) {
                violations.remove(account.orderId());
            } else if (!found.equals(before) && violations.size() < MAX_VIOLATIONS) {
                violations.put(account.orderId(), found);
                found.forEach((law, detail) -> LOG.atError()
                        .addKeyValue("orderId", account.orderId())
                        .addKeyValue("invariant", law.wire())
                        .addKeyValue("detail", detail)
                        .log("invariant violated; a person must look at the order"));
            }
        }
    }

    /** How all laws stand, orders that ended just now included. */
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

    /** Whether a law holds, as far as it was looked at last. */
    public boolean holds(Invariant law) {
        return check(law).ok();
    }

    private synchronized Check check(Invariant law) {
        List<String> orders = violations.entrySet().stream()
                .filter(each -> each.getValue().containsKey(law))
                .map(Map.Entry::getKey)
                .limit(MAX_TOLD)
                .toList();
        String fault = law == Invariant.STOCK ? stockFault : "";
        String detail =
                orders.isEmpty() ? fault : violations.get(orders.get(0)).get(law) + " (order " + orders.get(0) + ")";
        boolean ok = detail.isEmpty();
        return new Check(law.wire(), ok, ok ? law.meaning() : detail, orders);
    }

    @Override
    public void close() {
        if (passes != null) {
            passes.close();
        }
    }
}
