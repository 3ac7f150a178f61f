package io.caravanserai.store;

import java.sql.SQLException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/** Runs queries on a few connections of their own, so that no reader waits for a writer. */
final class Readers implements AutoCloseable {
    private final ExecutorService threads;
    private final BlockingQueue<JdbcTransaction> idle = new LinkedBlockingQueue<>();
    private final GroupCommit.ConnectionSource source;
    private final Executor completions;

    Readers(int count, GroupCommit.ConnectionSource source, Executor completions) {
        this.threads = Executors.newFixedThreadPool(count, new NamedThreads("store-reader"));
        this.source = source;
        this.completions = completions;
    }

    <T> CompletableFuture<T> submit(UnitOfWork<T> query) {
        CompletableFuture<T> future = new CompletableFuture<>();
        try {
            threads.execute(() -> run(query, future));
        } catch (RejectedExecutionException e) {
            future.completeExceptionally(new StoreUnavailableException("the store is closed: the hub is stopping", e));
        }
        return future;
    }

    private <T> void run(UnitOfWork<T> query, CompletableFuture<T> future) {
        try {
            JdbcTransaction transaction = idle.poll();
            if (transaction == null) {
                transaction = new JdbcTransaction(source.open());
            }
            T answer = query(transaction, query);
            completions.execute(() -> future.complete(answer));
        } catch (SQLException e) {
            StoreUnavailableException cause =
                    new StoreUnavailableException("the database cannot be read: " + e.getMessage(), e);
            completions.execute(() -> future.completeExceptionally(cause));
        } catch (Throwable e) {
            completions.execute(() -> future.completeExceptionally(e));
        }
    }

    private <T> T query(JdbcTransaction transaction, UnitOfWork<T> query) throws SQLException {
        boolean reusable = false;
        try {
            T answer = query.run(transaction);
            reusable = true;
            return answer;
        } finally {
            // Ends the snapshot: the next query sees what has been committed since. A change made here is undone.
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
        try {
            threads.awaitTermination(10, TimeUnit.SECONDS);
            for (JdbcTransaction each : idle) {
                each.close();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (SQLException e) {
            throw new IllegalStateException("closing a reader's connection failed", e);
        }
    }
}
