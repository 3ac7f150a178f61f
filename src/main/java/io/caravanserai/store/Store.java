package io.caravanserai.store;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The database of the hub. Thread-safe.
 *
 * <p>Units that are queued at the same time share one commit. Futures complete on a pool of the store, never on the
 * writer thread. A failed future has the exception of the unit or a {@link StoreUnavailableException}, never wrapped in
 * a CompletionException.
 */
public interface Store extends AutoCloseable {

    /**
     * Runs a unit of work. The future completes once the commit is on the disk.
     *
     * @param name the action of the unit, for example {@code reserve-items}, for meters and listeners
     * @param key units of the same key run one after the other, in the order of submission
     */
    <T> CompletableFuture<T> write(String name, String key, UnitOfWork<T> work);

    /** Runs queries on one consistent, committed state. A change by the query has no effect. */
    <T> CompletableFuture<T> read(UnitOfWork<T> query);

    /**
     * Like {@link #read}, for lists that people request. Lists use separate readers and so do not delay orders. Fails
     * with a {@link StoreUnavailableException} when too many lists are queued.
     */
    default <T> CompletableFuture<T> list(UnitOfWork<T> query) {
        return read(query);
    }

    /** The reason why the store is not writable; empty when the last attempt succeeded. */
    Optional<String> unavailableReason();

    /** The number of units that wait for the writer. */
    int pending();

    /** Size in bytes of the log that is not yet copied into the database; 0 when the hub does not manage the log. */
    default long logBytes() {
        return 0;
    }

    /** Finishes all submitted work, then closes the database. */
    @Override
    void close();
}
