package io.caravanserai.kafka;

import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Takes records, many at once. Must not block. */
public interface RecordHandler {

    /** Takes a record; it may have been taken before. When this throws, the record is set aside. */
    Taken take(ConsumerRecord<byte[], byte[]> record);

    /** Keeps a record that {@link #take} threw on for a person; completes when that is durable. */
    CompletableFuture<Void> setAside(ConsumerRecord<byte[], byte[]> record, Throwable failure);

    /**
     * What becomes of a record.
     *
     * @param durable once it completes the record need not come again; when it fails the record is taken again, after a
     *     pause, as often as it needs
     * @param released once it completes, in whatever way, the record no longer counts as work in hand
     */
    record Taken(CompletableFuture<Void> durable, CompletableFuture<?> released) {

        /** A record that is no more work once it is durable. */
        public static Taken until(CompletableFuture<Void> durable) {
            return new Taken(durable, durable);
        }
    }
}
