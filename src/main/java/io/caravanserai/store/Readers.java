package io.caravanserai.store;

import java.io.IOException;
import java.sql.SQLException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;

/** Runs queries on a few separate connections, so that no reader waits for the writer. */
final class Readers implements AutoCloseable {
    private static final int MAX_QUEUED_LISTS = 500;

    private final ExecutorService threads;
    /** Separate threads for list queries, so that many list requests do not delay orders. */
    private final ExecutorService listThreads;

    private final BlockingQueue<JdbcTransaction> idle = new LinkedBlockingQueue<>();
    private final ReadWriteLock files = new ReentrantReadWriteLock();
    private final Database database;
    private final Executor completions;
    private final Consumer<SQLException> failures;

    /** @param failures receives every SQLException of a read */
    Readers(int count, Database database, Executor completions, Consumer<SQLException> failures) {
        this.threads = Executors.newFixedThreadPool(count, new NamedThreads("store-reader"));
        this.listThreads = new ThreadPoolExecutor(
                count,
                count,
                0,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(MAX_QUEUED_LISTS),
                new NamedThreads("store-list-reader"));
        this.database = database;
        this.completions = completions;
        this.failures = failures;
    }

    /**
     * Waits for running queries, closes all connections, runs the action, and then admits queries again with new
     * connections.
     */
    void pausedFor(GroupCommit.FileAction action) throws IOException {
        files.writeLock().lock();
        try {
            for (JdbcTransaction each = idle.poll(); each != null; each = idle.poll()) {
                each.close();
            }
            action.run();
        } catch (SQLException e) {
            throw new IOException("cannot close the connection of a reader: " + e.getMessage(), e);
        } finally {
            files.writeLock().unlock();
        }
    }

    <T> CompletableFuture<T> submit(UnitOfWork<T> query) {
        return submit(threads, query);
    }

    <T> CompletableFuture<T> submitList(UnitOfWork<T> query) {
        return submit(listThreads, query);
    }

    private <T> CompletableFuture<T> submit(ExecutorService executor, UnitOfWork<T> query) {
        CompletableFuture<T> future = new CompletableFuture<>();
        try {
            executor.execute(() -> run(query, future));
        } catch (RejectedExecutionException e) {
            future.completeExceptionally(new StoreUnavailableException(
                    executor.isShutdown()
                            ? "store is closed: the hub is stopping"
                            : "too many list requests (" + MAX_QUEUED_LISTS + " are queued); retry later",
                    e));
        }
        return future;
    }

    private <T> void run(UnitOfWork<T> query, CompletableFuture<T> future) {
        files.readLock().lock();
        try {
            JdbcTransaction transaction = idle.poll();
            if (transaction == null) {
                transaction = new JdbcTransaction(database.openReader());
            }
            T answer = query(transaction, query);
            completions.execute(() -> future.complete(answer));
        } catch (SQLException e) {
            failures.accept(e);
            StoreUnavailableException cause =
                    new StoreUnavailableException("the database cannot be read: " + e.getMessage(), e);
            completions.execute(() -> future.completeExceptionally(cause));
        } catch (Throwable e) {
            completions.execute(() -> future.completeExceptionally(e));
        } finally {
            files.readLock().unlock();
        }
    }

    private <T> T query(JdbcTransaction transaction, UnitOfWork<T> query) throws SQLException {
        boolean reusable = false;
        try {
            T answer = query.run(transaction);
            reusable = true;
            return answer;
        } finally {
            // Ends the snapshot, so that the next query sees later commits. Also rolls back any change by the query.
            transaction.connection().rollback();
            if (reusable) {
                idle.add(transaction);
            } else {
                transaction.close();
            }
        }
    }

    @Override
    public void close() {
        threads.shutdown();
        listThreads.shutdown();
        try {
            threads.awaitTermination(10, TimeUnit.SECONDS);
            listThreads.awaitTermination(10, TimeUnit.SECONDS);
            for (JdbcTransaction each : idle) {
                each.close();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (SQLException e) {
            throw new IllegalStateException("cannot close the connection of a reader", e);
        }
    }
}
