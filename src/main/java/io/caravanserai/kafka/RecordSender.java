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
 * Sends records in batches: each batch in sequence, and one batch after the other. Never blocks the caller.
 * Thread-safe.
 */
public final class RecordSender implements AutoCloseable {
    private final KafkaConnection connection;
    private final ExecutorService thread;
    private Producer<byte[], byte[]> producer;
    private volatile Producer<byte[], byte[]> broken;

    /** @param name of the thread */
    public RecordSender(KafkaConnection connection, String name) {
        this.connection = connection;
        this.thread = Executors.newSingleThreadExecutor(work -> {
            Thread created = new Thread(work, name);
            created.setDaemon(true);
            return created;
        });
    }

    /**
     * Sends records. The future completes once all in-sync replicas have all records. On failure, some records from the
     * front of each partition may have been sent.
     */
    public CompletableFuture<Void> send(List<ProducerRecord<byte[], byte[]>> records) {
        return records.isEmpty()
                ? CompletableFuture.completedFuture(null)
                : connection.ready().thenCompose(nothing -> enqueue(records));
    }

    private CompletableFuture<Void> enqueue(List<ProducerRecord<byte[], byte[]>> records) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        try {
            thread.execute(() -> send(records, sent));
        } catch (RejectedExecutionException e) {
            sent.completeExceptionally(new IllegalStateException("the sender is closed", e));
        }
        return sent;
    }

    /** Waits up to 3 s for records in flight, then disconnects. */
    @Override
    public synchronized void close() {
        if (thread.isShutdown()) {
            return;
        }
        thread.execute(() -> closeProducer(Duration.ofSeconds(3)));
        thread.shutdown();
    }

    private void send(List<ProducerRecord<byte[], byte[]>> records, CompletableFuture<Void> sent) {
        AtomicInteger unsent = new AtomicInteger(records.size());
        try {
            if (producer == null || producer == broken) {
                // Created on demand, because the constructor fails while the brokers' names cannot be resolved.
                producer = new KafkaProducer<>(
                        connection.producerSettings(), new ByteArraySerializer(), new ByteArraySerializer());
            }
            Producer<byte[], byte[]> current = producer;
            for (ProducerRecord<byte[], byte[]> record : records) {
                current.send(record, (metadata, failure) -> {
                    if (failure != null) {
                        fail(current, failure, sent);
                    } else if (unsent.decrementAndGet() == 0) {
                        sent.completeAsync(() -> null);
                    }
                });
            }
        } catch (RuntimeException e) {
            fail(producer, e, sent);
        }
    }

    private void fail(Producer<byte[], byte[]> current, Throwable failure, CompletableFuture<Void> sent) {
        if (current != null && !(failure instanceof RecordTooLargeException)) {
            // On the producer's thread, before the producer sends more: later records must not overtake a failed
            // record.
            current.close(Duration.ZERO);
            broken = current;
        }
        CompletableFuture.runAsync(() -> sent.completeExceptionally(failure));
    }

    private void closeProducer(Duration timeout) {
        if (producer != null) {
            producer.close(timeout);
            producer = null;
        }
    }
}
