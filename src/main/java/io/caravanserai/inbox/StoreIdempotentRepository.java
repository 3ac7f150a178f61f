package io.caravanserai.inbox;

import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.spi.IdempotentRepository;
import org.apache.camel.support.service.ServiceSupport;

/**
 * Idempotent repository for {@code idempotentConsumer} in flows; survives restarts. A key is stored when the message is
 * complete, so a redelivery after a crash is processed again. Each call blocks on the store. Thread-safe.
 */
public final class StoreIdempotentRepository extends ServiceSupport implements IdempotentRepository {
    private static final String HANDLER = "once";
    private static final int BATCH = 200;
    private static final String FIND = "SELECT 1 FROM inbox WHERE handler = ? AND message_id = ?";
    private static final String DELETE = "DELETE FROM inbox WHERE handler = ? AND message_id = ?";
    private static final String DELETE_ALL = "DELETE FROM inbox WHERE handler = ?";
    private static final String PURGE = """
            DELETE FROM inbox WHERE handler = 'once' AND message_id IN
              (SELECT message_id FROM inbox WHERE handler = 'once' AND at < ? LIMIT ?)
            """;

    private final Store store;
    private final Inbox inbox;
    private final Set<String> inFlight = ConcurrentHashMap.newKeySet();

    public StoreIdempotentRepository(Store store, Inbox inbox) {
        this.store = store;
        this.inbox = inbox;
    }

    /** False when the key is stored, or the first message with the key is in flight. */
    @Override
    public boolean add(String key) {
        if (!inFlight.add(key)) {
            return false;
        }
        boolean isNew = false;
        try {
            isNew = !isDone(key);
        } finally {
            if (!isNew) {
                inFlight.remove(key);
            }
        }
        return isNew;
    }

    @Override
    public boolean contains(String key) {
        return inFlight.contains(key) || isDone(key);
    }

    private boolean isDone(String key) {
        return store.read(tx -> tx.first(FIND, row -> true, HANDLER, key).isPresent())
                .join();
    }

    /** Stores the key after the message is complete. */
    @Override
    public boolean confirm(String key) {
        try {
            return store.write("once", key, tx -> inbox.firstTime(tx, key, HANDLER))
                    .join();
        } finally {
            inFlight.remove(key);
        }
    }

    /** Removes the key after a failure, or allows a new message with the key. */
    @Override
    public boolean remove(String key) {
        if (inFlight.remove(key)) {
            return true;
        }
        return store.write("once", key, tx -> tx.update(DELETE, HANDLER, key)).join() > 0;
    }

    @Override
    public void clear() {
        store.write("once", HANDLER, tx -> tx.update(DELETE_ALL, HANDLER)).join();
    }

    /** Deletes a batch of keys stored before the given time; false when no more remain. */
    public boolean purgeBatch(Transaction tx, Instant before) throws SQLException {
        return tx.update(PURGE, before, BATCH) == BATCH;
    }
}
