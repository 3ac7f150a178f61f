package io.caravanserai.intake;

import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.deadletter.Seals;
import io.caravanserai.http.Problem;
import io.caravanserai.intake.OrderMessages.Taken;
import io.caravanserai.kafka.KafkaConnection;
import io.caravanserai.kafka.KafkaDeadLetters;
import io.caravanserai.kafka.KafkaTopic;
import io.caravanserai.kafka.RecordConsumer;
import io.caravanserai.kafka.RecordHandler;
import io.caravanserai.kafka.RecordSender;
import io.caravanserai.kafka.RecordText;
import io.caravanserai.process.MessageName;
import io.caravanserai.process.OrderIntake;
import io.caravanserai.support.Digests;
import io.caravanserai.support.Utf8;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Receives orders from one Kafka topic. The offset of a record is committed when its order is durable, or when the record
 * is durable among the dead letters. The number of orders in flight is bounded, so that a long backlog waits in Kafka.
 */
public final class KafkaOrders implements OrderSource {
    private static final String GROUP = "hub-orders";

    /** The channel of the dead letters of all topics. */
    static final String CHANNEL = "kafka-orders";

    private static final String STYLE = "style";
    private static final String IDEMPOTENCY_KEY = "idempotency-key";
    private static final String TRACEPARENT = "traceparent";

    /** The dead-letter header with the key of the record. */
    private static final String RECORD_KEY = "kafka-key";

    /**
     * The header of a replayed record with the origin of the dead letter: every replay of a dead letter is the same
     * message.
     */
    private static final String ORIGIN = "dead-letter-origin";

    /** The header that proves a replay by the hub: any sender may set an origin. */
    private static final String SEAL = "dead-letter-seal";

    /** Enough to fill the commits of the store. */
    private static final RecordConsumer.Limits LIMITS = new RecordConsumer.Limits(256, Duration.ofSeconds(5));

    /** An order that takes longer does not block later orders any more: the order may wait for an operator. */
    private static final long LONGEST_HOLD_SECONDS = 5;

    private final String topic;
    private final Parts parts;
    private final RecordSender sender;
    private final RecordConsumer intake;
    private final Seals seals;

    /**
     * What all topics share.
     *
     * @param entry which tells of the end of orders
     */
    public record Parts(
            KafkaConnection link,
            IntakeRoutes routes,
            OrderMessages messages,
            OrderIntake entry,
            KafkaDeadLetters deadLetters,
            DeadLetters letters) {}

    /** A topic other than {@code orders} is created when it is missing and the brokers permit that. */
    KafkaOrders(String topic, Parts parts) {
        this.topic = topic;
        this.parts = parts;
        this.sender = new RecordSender(parts.link(), "kafka-replay-" + topic);
        boolean isOrders = topic.equals(KafkaTopic.ORDERS.name());
        if (!isOrders) {
            parts.link().require(KafkaTopic.ORDERS.named(topic));
        }
        this.intake = new RecordConsumer(
                parts.link(),
                isOrders ? GROUP : GROUP + "-" + topic,
                topic,
                RecordConsumer.From.BEGINNING,
                LIMITS,
                new Handler());
        this.seals = parts.letters().seals();
    }

    @Override
    public void start() {
        intake.start();
    }

    @Override
    public Optional<String> unavailableReason() {
        return parts.link().unavailableReason().or(intake::unavailableReason);
    }

    @Override
    public void close() {
        intake.close();
        sender.close();
    }

    private final class Handler implements RecordHandler {
        @Override
        public RecordHandler.Taken take(ConsumerRecord<byte[], byte[]> record) {
            return KafkaOrders.this.take(record);
        }

        @Override
        public CompletableFuture<Void> setAside(ConsumerRecord<byte[], byte[]> record, Throwable failure) {
            return keep(placeAndDigest(record), record, RecordText.headers(record), OrderMessages.notHandled(failure));
        }
    }

    private RecordHandler.Taken take(ConsumerRecord<byte[], byte[]> record) {
        Map<String, String> headers = RecordText.headers(record);
        CompletableFuture<Optional<String>> replayed = replayed(record, headers);
        CompletableFuture<Taken> taken =
                replayed.thenCompose(letter -> handIn(letter.orElseGet(() -> place(record)), record, headers));
        CompletableFuture<Void> durable = taken.thenCompose(what -> what instanceof Taken.Refused refused
                ? keep(replayed.join().orElseGet(() -> placeAndDigest(record)), record, headers, refused)
                : CompletableFuture.completedFuture(null));
        CompletableFuture<Void> released =
                taken.thenCombine(durable, (what, nothing) -> what).thenCompose(this::ended);
        return new RecordHandler.Taken(durable, released);
    }

    private CompletableFuture<Void> keep(
            String origin, ConsumerRecord<byte[], byte[]> record, Map<String, String> headers, Taken.Refused refused) {
        return parts.deadLetters().add(record, letter(origin, record, headers, refused));
    }

    /**
     * Returns the origin of the dead letter that the hub replays with this record; empty for records of other senders.
     */
    private CompletableFuture<Optional<String>> replayed(
            ConsumerRecord<byte[], byte[]> record, Map<String, String> headers) {
        String origin = headers.get(ORIGIN);
        if (origin == null || !origin.startsWith(CHANNEL + ':')) {
            return CompletableFuture.completedFuture(Optional.empty());
        }
        return seals.isGenuine(origin, headers.get(SEAL), record.value())
                .thenApply(genuine -> genuine ? Optional.of(origin) : Optional.empty());
    }

    private static String place(ConsumerRecord<byte[], byte[]> record) {
        return CHANNEL + ':' + RecordText.place(record);
    }

    /** Brokers that have lost records reuse the offsets, perhaps with the same timestamp. */
    private static String placeAndDigest(ConsumerRecord<byte[], byte[]> record) {
        byte[] body =
                record.value() == null ? bytes(RecordText.bodyLeftOut(record).orElse("")) : record.value();
        return place(record) + '#' + Digests.shortSha256(body);
    }

    private static Optional<String> given(Map<String, String> headers, String name) {
        return Optional.ofNullable(headers.get(name)).filter(value -> !value.isBlank());
    }

    private CompletableFuture<Taken> handIn(
            String name, ConsumerRecord<byte[], byte[]> record, Map<String, String> headers) {
        Optional<String> leftOut = RecordText.bodyLeftOut(record);
        if (leftOut.isPresent()) {
            return CompletableFuture.completedFuture(OrderMessages.tooLarge(leftOut.get()));
        }
        Optional<String> key = given(headers, IDEMPOTENCY_KEY);
        if (key.isPresent()) {
            key = IdempotencyKey.read(key.get());
            if (key.isEmpty()) {
                return CompletableFuture.completedFuture(new Taken.Refused(
                        "invalid-idempotency-key", Problem.badParameter(IDEMPOTENCY_KEY, IdempotencyKey.RULE)));
            }
        }
        OrderMessages.Incoming message = new OrderMessages.Incoming(
                MessageName.of(name), record.value(), key, given(headers, STYLE), given(headers, TRACEPARENT));
        return parts.routes()
                .of("kafka:" + topic)
                .map(route -> RoutedMessage.take(route, headers, parts.messages(), message))
                .orElseGet(() -> parts.messages().take(message));
    }

    private CompletableFuture<Void> ended(Taken taken) {
        return taken instanceof Taken.Order order
                ? parts.entry()
                        .ended(order.orderId())
                        .copy()
                        .completeOnTimeout(null, LONGEST_HOLD_SECONDS, TimeUnit.SECONDS)
                : CompletableFuture.completedFuture(null);
    }

    private static DeadLetter.Failed letter(
            String name, ConsumerRecord<byte[], byte[]> record, Map<String, String> headers, Taken.Refused refused) {
        Map<String, String> kept = new LinkedHashMap<>(headers);
        List.of(ORIGIN, SEAL, RECORD_KEY).forEach(kept::remove);
        Utf8.text(record.key()).ifPresent(key -> kept.put(RECORD_KEY, key));
        DeadLetter.Failed failed = DeadLetter.Failed.of(
                name, CHANNEL, record.topic(), refused.reason(), OrderMessages.error(refused), kept, record.value());
        return RecordText.bodyLeftOut(record).map(failed::withBodyLeftOut).orElse(failed);
    }

    @Override
    public CompletableFuture<Void> replay(DeadLetter letter) {
        return seals.of(letter).thenCompose(seal -> {
            Map<String, String> headers = new LinkedHashMap<>(letter.headers());
            String key = headers.remove(RECORD_KEY);
            RecordText.withoutLeftOut(headers);
            ProducerRecord<byte[], byte[]> record =
                    new ProducerRecord<>(letter.source(), key == null ? null : bytes(key), body(letter));
            headers.put(ORIGIN, letter.origin());
            headers.put(SEAL, seal);
            headers.forEach((name, value) -> record.headers().add(name, bytes(value)));
            return sender.send(List.of(record));
        });
    }

    private static byte[] body(DeadLetter letter) {
        if (letter.body() == null) {
            return null;
        }
        return letter.base64() ? Base64.getDecoder().decode(letter.body()) : bytes(letter.body());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
