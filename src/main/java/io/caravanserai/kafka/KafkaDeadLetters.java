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
 * Keeps a record that could not be handled in the hub's list, and puts it into the topic {@code orders.DLT} with its key,
 * its headers and the reason, for those who look there. Thread-safe.
 */
public final class KafkaDeadLetters implements DeadLetterSink, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaDeadLetters.class);
    private static final String TOPIC = KafkaTopic.DEAD_LETTERS.name();
    private static final List<String> OWN_HEADERS = List.of("original-topic", "reason", "error", "dead-letter-id");

    private final DeadLetters letters;
    private final RecordSender sender;

    public KafkaDeadLetters(DeadLetters letters, KafkaConnection link) {
        this.letters = letters;
        this.sender = new RecordSender(link, "kafka-dead-letters");
    }

    DeadLetters letters() {
        return letters;
    }

    @Override
    public CompletableFuture<String> add(DeadLetter.Failed failed) {
        ProducerRecord<byte[], byte[]> copy = new ProducerRecord<>(TOPIC, null, body(failed));
        failed.headers().forEach((name, value) -> copy.headers().add(name, bytes(value)));
        return keep(failed, copy);
    }

    /**
     * Keeps a record just as it came, also where it is no text.
     *
     * @param failed what is wrong with it
     */
    public CompletableFuture<Void> add(ConsumerRecord<byte[], byte[]> record, DeadLetter.Failed failed) {
        ProducerRecord<byte[], byte[]> copy = new ProducerRecord<>(TOPIC, record.key(), record.value());
        for (Header header : record.headers()) {
            copy.headers().add(header);
        }
        copy.headers().add("original-partition", bytes(String.valueOf(record.partition())));
        copy.headers().add("original-offset", bytes(String.valueOf(record.offset())));
        return keep(failed, copy).thenApply(id -> null);
    }

    @Override
    public void close() {
        sender.close();
    }

    private CompletableFuture<String> keep(DeadLetter.Failed failed, ProducerRecord<byte[], byte[]> copy) {
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
                            : smaller(copy, failure).thenApply(nothing -> id));
        });
    }

    /**
     * A topic made by somebody else may take less than the one the record came from; the hub's list has the message. What
     * is too large without body and headers, too, is not copied: the records behind it must not wait for ever.
     */
    private CompletableFuture<Void> smaller(ProducerRecord<byte[], byte[]> copy, Throwable failure) {
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
                    .log("dead letter not copied to its topic; GET /dead-letters has it");
            return CompletableFuture.completedFuture(null);
        }
        return sender.send(List.of(small))
                .handle((nothing, again) -> again)
                .thenCompose(
                        again -> again == null ? CompletableFuture.<Void>completedFuture(null) : smaller(small, again));
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
