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
 * Remembers for {@code idempotentConsumer} in flows which keys are done, over restarts too. A key is marked once its
 * message is through: what a crash cuts short is done again when the message comes again. Each call waits for the store.
 * Thread-safe.
 */
public final class StoreIdempotentRepository extends ServiceSupport implements IdempotentRepository {
    private static final String HANDLER = "once";
    private static final int AT_ONCE = 200;
    private static final String FIND = "SELECT 1 FROM inbox WHERE handler = ? AND message_id = ?";
    private static final String FORGET = "DELETE FROM inbox WHERE handler = ? AND message_id = ?";
    private static final String FORGET_ALL = "DELETE FROM inbox WHERE handler = ?";
    private static final String FORGET_OLD = """
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

    /** False when the key is done, or its first message is under way. */
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

    /** The message is through. */
    @Override
    public boolean confirm(String key) {
        try {
            return store.write("once", key, tx -> inbox.firstTime(tx, key, HANDLER))
                    .join();
        } finally {
            inFlight.remove(key);
        }
    }

    /** The message has failed, or the key may be done again. */
    @Override
    public boolean remove(String key) {
        if (inFlight.remove(key)) {
            return true;
        }
        return store.write("once", key, tx -> tx.update(FORGET, HANDLER, key)).join() > 0;
    }

    @Override
    public void clear() {
        store.write("once", HANDLER, tx -> tx.update(FORGET_ALL, HANDLER)).join();
    }

    /** Forgets some of the keys that were done before that; false when there are no more. */
    public boolean purgeBatch(Transaction tx, Instant before) throws SQLException {
        return tx.update(FORGET_OLD, before, AT_ONCE) == AT_ONCE;
    }
}
