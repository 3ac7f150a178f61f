package io.caravanserai.telemetry;

import io.caravanserai.store.Store;
import io.caravanserai.store.UnitOfWork;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Times each unit of work by name, from submission until durable. The steps of orders are among these units. */
public final class MeteredStore implements Store {
    private final Store store;
    private final MeterRegistry registry;
    private final Map<String, Timer> timers = new ConcurrentHashMap<>();

    public MeteredStore(Store store, MeterRegistry registry) {
        this.store = store;
        this.registry = registry;
        Gauge.builder("hub.store.pending", store, Store::pending)
                .description("Units of work that wait for the writer")
                .register(registry);
        Gauge.builder("hub.store.wal", store, Store::logBytes)
                .description("Size of the write-ahead log of the embedded database")
                .baseUnit("bytes")
                .register(registry);
    }

    @Override
    public <T> CompletableFuture<T> write(String name, String key, UnitOfWork<T> work) {
        long began = System.nanoTime();
        CompletableFuture<T> durable = store.write(name, key, work);
        // The timer is a side branch: callers get the store's own future.
        durable.whenComplete((answer, failure) -> timer(name).record(System.nanoTime() - began, TimeUnit.NANOSECONDS));
        return durable;
    }

    private Timer timer(String name) {
        return timers.computeIfAbsent(
                name,
                unit -> Timer.builder("hub.store.unit")
                        .description(
                                "Time from submitting a unit of work until it is durable; steps of orders by their names")
                        .tag("unit", unit)
                        .register(registry));
    }

    @Override
    public <T> CompletableFuture<T> read(UnitOfWork<T> query) {
        return store.read(query);
    }

    @Override
    public <T> CompletableFuture<T> list(UnitOfWork<T> query) {
        return store.list(query);
    }

    @Override
    public Optional<String> unavailableReason() {
        return store.unavailableReason();
    }

    @Override
    public long logBytes() {
        return store.logBytes();
    }

    @Override
    public int pending() {
        return store.pending();
    }

    @Override
    public void close() {
        store.close();
    }
}
