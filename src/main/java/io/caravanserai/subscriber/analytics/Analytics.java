package io.caravanserai.subscriber.analytics;

import io.caravanserai.bus.EventHandler;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.outbox.StoredEvent;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Live figures about orders. An event that comes is a sign to look into the log: counted is what has happened to its order
 * there. So an event of an order that there is not counts nothing, and one that comes late or never is counted with those
 * after it. Events that wait at the same time are counted in one unit of work. Thread-safe.
 *
 * <p>Each order remembers the last of its events that was counted, in the unit that counts it: that is the mark which
 * keeps an event that comes twice from counting twice.
 */
public final class Analytics implements EventHandler {
    /** Its name at the bus. */
    public static final String SUBSCRIBER = "analytics";

    private static final int AT_ONCE = 500;
    private static final String KEY = "analytics";

    private final Store store;
    private final EventLog log;
    private final SqlFigures figures = new SqlFigures();
    private final List<Waiting> waiting = new ArrayList<>();
    private boolean counting;
    private CompletableFuture<Void> rebuild = CompletableFuture.completedFuture(null);

    private record Waiting(CloudEvent event, CompletableFuture<Void> counted) {}

    public Analytics(Store store, EventLog log) {
        this.store = store;
        this.log = log;
    }

    @Override
    public CompletableFuture<Void> handle(CloudEvent event) {
        CompletableFuture<Void> counted = new CompletableFuture<>();
        synchronized (waiting) {
            waiting.add(new Waiting(event, counted));
            if (counting) {
                return counted;
            }
            counting = true;
        }
        countNext();
        return counted;
    }

    private void countNext() {
        List<Waiting> batch;
        synchronized (waiting) {
            if (waiting.isEmpty()) {
                counting = false;
                return;
            }
            List<Waiting> next = waiting.subList(0, Math.min(AT_ONCE, waiting.size()));
            batch = List.copyOf(next);
            next.clear();
        }
        List<CloudEvent> events = batch.stream().map(Waiting::event).toList();
        store.write("count-orders", KEY, tx -> {
                    figures.countHeard(tx, figures.live(tx), events);
                    return null;
                })
                .whenComplete((done, failure) -> {
                    for (Waiting each : batch) {
                        if (failure == null) {
                            each.counted().complete(null);
                        } else {
                            each.counted().completeExceptionally(failure);
                        }
                    }
                    countNext();
                });
    }

    /** The figures as they stand. */
    public CompletableFuture<Figures> figures() {
        return store.list(tx -> Figures.of(figures.all(tx)));
    }

    /**
     * Counts again what has left the log and all that is in it, beside the figures that are live, and puts the new ones
     * in their place in the unit that counts the last of it. One runs at a time: while it does, asking again changes nothing.
     *
     * @return completes when the new figures are live
     */
    public synchronized CompletableFuture<Void> rebuild() {
        if (rebuild.isDone()) {
            rebuild = store.read(figures::live)
                    .thenCompose(live -> store.write("rebuild-figures", KEY, tx -> {
                        // What a rebuild that broke off has left.
                        figures.dropOthers(tx, live);
                        figures.begin(tx, live + 1);
                        return live + 1;
                    }))
                    .thenCompose(generation -> page(generation, 0));
        }
        return rebuild;
    }

    /**
     * Keeps what an order counts for, in the unit of work that takes it out of the log: a rebuild begins with it.
     *
     * @param events of the order, all, in the order they happened
     */
    public void forget(Transaction tx, List<CloudEvent> events) throws SQLException {
        figures.fold(tx, events);
    }

    /** Whether the figures are being rebuilt. */
    public synchronized boolean isRebuilding() {
        return !rebuild.isDone();
    }

    private static List<CloudEvent> after(Transaction tx, List<StoredEvent> page, long before) throws SQLException {
        long last = page.isEmpty() ? before : page.get(page.size() - 1).sequence();
        return EventLog.after(tx, last, Integer.MAX_VALUE).stream()
                .map(StoredEvent::event)
                .toList();
    }

    private CompletableFuture<Void> page(long generation, long after) {
        return log.after(after, AT_ONCE).thenCompose(page -> {
            List<CloudEvent> events = page.stream().map(StoredEvent::event).toList();
            boolean last = page.size() < AT_ONCE;
            CompletableFuture<Void> counted = store.write("rebuild-figures", KEY, tx -> {
                figures.count(tx, generation, events);
                if (last) {
                    // What was recorded since the page was read may have come over the bus, and found the old figures.
                    figures.count(tx, generation, after(tx, page, after));
                    // Events later than these come over the bus, and find the new figures.
                    figures.goLive(tx, generation);
                    figures.dropOthers(tx, generation);
                }
                return null;
            });
            return last
                    ? counted
                    : counted.thenCompose(
                            done -> page(generation, page.get(page.size() - 1).sequence()));
        });
    }
}
