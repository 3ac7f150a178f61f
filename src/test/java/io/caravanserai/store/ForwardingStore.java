package io.caravanserai.store;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A delegating store, for tests that intercept reads. */
public abstract class ForwardingStore implements Store {
    protected final Store store;

    protected ForwardingStore(Store store) {
        this.store = store;
    }

    @Override
    public abstract <T> CompletableFuture<T> read(UnitOfWork<T> query);

    @Override
    public <T> CompletableFuture<T> write(String name, String key, UnitOfWork<T> work) {
        return store.write(name, key, work);
    }

    @Override
    public Optional<String> unavailableReason() {
        return store.unavailableReason();
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
