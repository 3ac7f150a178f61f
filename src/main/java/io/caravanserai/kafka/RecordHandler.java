package io.caravanserai.kafka;

import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Handles records, many concurrently. Must not block. */
public interface RecordHandler {

    /** Takes a record, which may have been taken before. If this method throws, the record is set aside. */
    Taken take(ConsumerRecord<byte[], byte[]> record);

    /** Stores a record that {@link #take} threw on for an operator; completes when the record is durable. */
    CompletableFuture<Void> setAside(ConsumerRecord<byte[], byte[]> record, Throwable failure);

    /**
     * The outcome of a record.
     *
     * @param durable on success, the record need not be delivered again; on failure, the record is taken again after a
     *     pause, without limit
     * @param released on completion of either kind, the record no longer counts as in flight
     */
    record Taken(CompletableFuture<Void> durable, CompletableFuture<?> released) {

        /** A record that is released when durable. */
        public static Taken until(CompletableFuture<Void> durable) {
            return new Taken(durable, durable);
        }
    }
}
