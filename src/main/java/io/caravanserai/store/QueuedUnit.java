package io.caravanserai.store;

import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A queued unit of work with the future of the caller. Not thread-safe, except the future. */
final class QueuedUnit<T> {
    private static final Logger LOG = LoggerFactory.getLogger(QueuedUnit.class);

    private final String name;
    private final UnitOfWork<T> work;
    private final CompletableFuture<T> future = new CompletableFuture<>();
    private T result;
    private Throwable failure;
    private List<Runnable> afterCommit = List.of();

    QueuedUnit(String name, UnitOfWork<T> work) {
        this.name = name;
        this.work = work;
    }

    /** A marker that wakes the writer and is not run. */
    static QueuedUnit<?> nothing() {
        return new QueuedUnit<>("nothing", null);
    }

    boolean isNothing() {
        return work == null;
    }

    String name() {
        return name;
    }

    CompletableFuture<T> future() {
        return future;
    }

    void run(JdbcTransaction transaction) throws SQLException {
        result = work.run(transaction);
        afterCommit = transaction.takeAfterCommit();
        failure = null;
    }

    void fail(Throwable cause) {
        failure = cause;
        afterCommit = List.of();
    }

    void complete() {
        for (Runnable action : afterCommit) {
            try {
                action.run();
            } catch (RuntimeException e) {
                LOG.atError().addKeyValue("unit", name).setCause(e).log("after-commit action failed; continuing");
            }
        }
        if (failure == null) {
            future.complete(result);
        } else {
            future.completeExceptionally(failure);
        }
    }
}
