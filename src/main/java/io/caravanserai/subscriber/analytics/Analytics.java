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
 * Live figures about orders. An event triggers a read of the log, and the events of the order in the log are counted.
 * So an event of an unknown order counts nothing, and a late or lost event is counted together with the next event of
 * the order. Events that wait at the same time are counted in one unit of work. Thread-safe.
 * <p>The unit that counts an event records the event as the last counted event of the order. This mark keeps a
 * duplicate event from counting twice.
 */
public final class Analytics implements EventHandler {
    /** Name of the subscriber at the bus. */
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

    /** Returns the current figures. */
    public CompletableFuture<Figures> figures() {
        return store.list(tx -> Figures.of(figures.all(tx)));
    }

    /**
     * Rebuilds the figures from the purged totals and the log, beside the live figures. The unit that counts the last
     * event replaces the live figures. Only one rebuild runs at a time; a second call returns the running rebuild.
     * @return completes when the new figures are live
     */
    public synchronized CompletableFuture<Void> rebuild() {
        if (rebuild.isDone()) {
            rebuild = store.read(figures::live)
                    .thenCompose(live -> store.write("rebuild-figures", KEY, tx -> {
                        // The remains of an aborted rebuild.
                        figures.dropOthers(tx, live);
                        figures.begin(tx, live + 1);
                        return live + 1;
                    }))
                    .thenCompose(generation -> page(generation, 0));
        }
        return rebuild;
    }

    /**
     * Adds the events of a purged order to the totals that a rebuild starts from. Call in the unit of work that deletes
     * the events from the log.
     * @param events all events of the order, in order of occurrence
     */
    public void forget(Transaction tx, List<CloudEvent> events) throws SQLException {
        figures.fold(tx, events);
    }

    /** Whether a rebuild is running. */
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
                    // An event recorded since the page was read may have arrived over the bus before, and was counted
                    // in the old figures only.
                    figures.count(tx, generation, after(tx, page, after));
                    // Later events arrive over the bus and are counted in the new figures.
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
