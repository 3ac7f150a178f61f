package io.caravanserai.store;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The hub's database. Thread-safe.
 *
 * <p>Units that wait at the same time share one commit. Futures complete on the store's own pool, never on the thread
 * that writes, with the unit's own exception or a {@link StoreUnavailableException} (never wrapped in a
 * CompletionException).
 */
public interface Store extends AutoCloseable {

    /**
     * Runs a unit of work; the future completes once its commit is on the disk.
     *
     * @param name what the unit does, such as {@code reserve-items}: for meters and listeners
     * @param key units of the same key run one after the other, in the order they were submitted
     */
    <T> CompletableFuture<T> write(String name, String key, UnitOfWork<T> work);

    /** Runs queries on one consistent, committed state. The transaction refuses changes. */
    <T> CompletableFuture<T> read(UnitOfWork<T> query);

    /**
     * As {@link #read}, for lists that people ask for: they have readers of their own, so that they hold up no order, and
     * fail with a {@link StoreUnavailableException} when very many wait already.
     */
    default <T> CompletableFuture<T> list(UnitOfWork<T> query) {
        return read(query);
    }

    /** Why the store cannot be written to at present; empty when the last attempt succeeded. */
    Optional<String> unavailableReason();

    /** Units submitted and not yet durable. */
    int pending();

    /** Size of the log that is yet to be copied into the database; 0 where the hub does not see to that. */
    default long logBytes() {
        return 0;
    }

    /** Finishes what was submitted, then lets go of the database. */
    @Override
    void close();
}
