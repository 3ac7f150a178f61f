package io.caravanserai.flow.deploy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.camel.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stops consumers, each on a thread of its own. The consumer of a queue waits until the current message is done, and an
 * edit must not wait for a message that never ends. Thread-safe.
 */
final class ClosingConsumers {
    private static final Logger LOG = LoggerFactory.getLogger(ClosingConsumers.class);

    private volatile CompletableFuture<Void> closed = CompletableFuture.completedFuture(null);

    /** Begins to stop the consumers. */
    void close(List<Consumer> consumers) {
        CompletableFuture<?>[] all = consumers.stream()
                .map(consumer -> CompletableFuture.runAsync(() -> stop(consumer), ClosingConsumers::run))
                .toArray(CompletableFuture[]::new);
        closed = CompletableFuture.allOf(all);
    }

    /** Returns false when a consumer has not stopped within the time. Interruption ends the wait. */
    boolean await(Duration patience) {
        try {
            closed.get(patience.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException | TimeoutException e) {
            return closed.isDone();
        }
    }

    private static void run(Runnable work) {
        Thread thread = new Thread(work, "flow-consumer-stop");
        thread.setDaemon(true);
        thread.start();
    }

    private static void stop(Consumer consumer) {
        try {
            consumer.stop();
        } catch (RuntimeException e) {
            LOG.atWarn()
                    .addKeyValue("endpoint", consumer.getEndpoint())
                    .setCause(e)
                    .log("consumer of an old flow version did not stop; it is stopped again with its route");
        }
    }
}
