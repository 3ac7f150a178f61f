package io.caravanserai.kafka;

import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetterSink;
import io.caravanserai.deadletter.DeadLetters;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores a record that could not be handled in the hub's list, and sends a copy with key, headers and reason to the
 * topic {@code orders.DLT} for other programs. Thread-safe.
 */
public final class KafkaDeadLetters implements DeadLetterSink, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaDeadLetters.class);
    private static final String TOPIC = KafkaTopic.DEAD_LETTERS.name();
    private static final List<String> OWN_HEADERS = List.of("original-topic", "reason", "error", "dead-letter-id");

    private final DeadLetters letters;
    private final RecordSender sender;

    public KafkaDeadLetters(DeadLetters letters, KafkaConnection connection) {
        this.letters = letters;
        this.sender = new RecordSender(connection, "kafka-dead-letters");
    }

    DeadLetters letters() {
        return letters;
    }

    @Override
    public CompletableFuture<String> add(DeadLetter.Failed failed) {
        ProducerRecord<byte[], byte[]> copy = new ProducerRecord<>(TOPIC, null, body(failed));
        failed.headers().forEach((name, value) -> copy.headers().add(name, bytes(value)));
        return store(failed, copy);
    }

    /**
     * Stores a record with the original bytes, even if these are no text.
     *
     * @param failed describes the failure
     */
    public CompletableFuture<Void> add(ConsumerRecord<byte[], byte[]> record, DeadLetter.Failed failed) {
        ProducerRecord<byte[], byte[]> copy = new ProducerRecord<>(TOPIC, record.key(), record.value());
        for (Header header : record.headers()) {
            copy.headers().add(header);
        }
        copy.headers().add("original-partition", bytes(String.valueOf(record.partition())));
        copy.headers().add("original-offset", bytes(String.valueOf(record.offset())));
        return store(failed, copy).thenApply(id -> null);
    }

    @Override
    public void close() {
        sender.close();
    }

    private CompletableFuture<String> store(DeadLetter.Failed failed, ProducerRecord<byte[], byte[]> copy) {
        return letters.add(failed).thenCompose(id -> {
            Headers headers = copy.headers();
            headers.add("original-topic", bytes(failed.source()));
            headers.add("reason", bytes(failed.reason()));
            headers.add("error", bytes(failed.error()));
            headers.add("dead-letter-id", bytes(id));
            return sender.send(List.of(copy))
                    .handle((nothing, failure) -> failure)
                    .thenCompose(failure -> failure == null
                            ? CompletableFuture.completedFuture(id)
                            : sendSmaller(copy, failure).thenApply(nothing -> id));
        });
    }

    /**
     * Sends a smaller copy: a topic created outside the hub may accept smaller records than the source topic. The hub's
     * list has the whole message. A record that is too large even without body and headers is not copied, because the
     * records behind must not wait for ever.
     */
    private CompletableFuture<Void> sendSmaller(ProducerRecord<byte[], byte[]> copy, Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        if (!(cause instanceof RecordTooLargeException)) {
            return CompletableFuture.failedFuture(cause);
        }
        ProducerRecord<byte[], byte[]> small;
        if (copy.value() != null) {
            small = new ProducerRecord<>(TOPIC, null, copy.key(), null, copy.headers());
            small.headers().add(BoundedBytes.BODY_LEFT_OUT, bytes(copy.value().length + " bytes"));
        } else if (copy.key() != null || copy.headers().lastHeader(BoundedHeaders.LEFT_OUT) == null) {
            small = new ProducerRecord<>(TOPIC, null, null, null);
            for (String name : OWN_HEADERS) {
                small.headers().add(copy.headers().lastHeader(name));
            }
            small.headers().add(BoundedHeaders.LEFT_OUT, bytes("key and headers"));
        } else {
            LOG.atWarn()
                    .addKeyValue("topic", TOPIC)
                    .addKeyValue("error", cause.getMessage())
                    .log("dead letter too large for the dead-letter topic; not copied, see GET /dead-letters");
            return CompletableFuture.completedFuture(null);
        }
        return sender.send(List.of(small))
                .handle((nothing, nextFailure) -> nextFailure)
                .thenCompose(nextFailure -> nextFailure == null
                        ? CompletableFuture.<Void>completedFuture(null)
                        : sendSmaller(small, nextFailure));
    }

    private static byte[] body(DeadLetter.Failed failed) {
        if (failed.body() == null) {
            return null;
        }
        return failed.base64() ? Base64.getDecoder().decode(failed.body()) : bytes(failed.body());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
