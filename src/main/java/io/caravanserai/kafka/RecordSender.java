package io.caravanserai.kafka;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Sends records in batches, each batch in its order and one batch after the other. Never blocks its caller. Thread-safe.
 */
public final class RecordSender implements AutoCloseable {
    private final KafkaConnection link;
    private final ExecutorService thread;
    private Producer<byte[], byte[]> producer;
    private volatile Producer<byte[], byte[]> broken;

    /** @param name of its thread */
    public RecordSender(KafkaConnection link, String name) {
        this.link = link;
        this.thread = Executors.newSingleThreadExecutor(work -> {
            Thread made = new Thread(work, name);
            made.setDaemon(true);
            return made;
        });
    }

    /**
     * Sends records. The future completes once all in-sync replicas have all of them; when it fails, some of them, from
     * the front of each partition, may have been sent.
     */
    public CompletableFuture<Void> send(List<ProducerRecord<byte[], byte[]>> records) {
        return records.isEmpty()
                ? CompletableFuture.completedFuture(null)
                : link.ready().thenCompose(nothing -> sendWhenTurn(records));
    }

    private CompletableFuture<Void> sendWhenTurn(List<ProducerRecord<byte[], byte[]>> records) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        try {
            thread.execute(() -> send(records, sent));
        } catch (RejectedExecutionException e) {
            sent.completeExceptionally(new IllegalStateException("the sender is closed", e));
        }
        return sent;
    }

    /** Waits a little for what is on its way, then lets go of the brokers. */
    @Override
    public synchronized void close() {
        if (thread.isShutdown()) {
            return;
        }
        thread.execute(() -> drop(Duration.ofSeconds(3)));
        thread.shutdown();
    }

    private void send(List<ProducerRecord<byte[], byte[]>> records, CompletableFuture<Void> sent) {
        AtomicInteger unsent = new AtomicInteger(records.size());
        try {
            if (producer == null || producer == broken) {
                // Not before it is needed: it fails when the brokers' names cannot be resolved yet.
                producer = new KafkaProducer<>(
                        link.producerSettings(), new ByteArraySerializer(), new ByteArraySerializer());
            }
            Producer<byte[], byte[]> with = producer;
            for (ProducerRecord<byte[], byte[]> record : records) {
                with.send(record, (metadata, failure) -> {
                    if (failure != null) {
                        fail(with, failure, sent);
                    } else if (unsent.decrementAndGet() == 0) {
                        sent.completeAsync(() -> null);
                    }
                });
            }
        } catch (RuntimeException e) {
            fail(producer, e, sent);
        }
    }

    private void fail(Producer<byte[], byte[]> with, Throwable failure, CompletableFuture<Void> sent) {
        if (with != null && !(failure instanceof RecordTooLargeException)) {
            // On the producer's own thread, before it sends more: what comes after a failed record must not overtake
            // it.
            with.close(Duration.ZERO);
            broken = with;
        }
        CompletableFuture.runAsync(() -> sent.completeExceptionally(failure));
    }

    private void drop(Duration patience) {
        if (producer != null) {
            producer.close(patience);
            producer = null;
        }
    }
}
