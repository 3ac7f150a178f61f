package io.caravanserai.kafka;

import io.caravanserai.bus.Delivery;
import io.caravanserai.bus.EventBus;
import io.caravanserai.bus.EventBusListener;
import io.caravanserai.bus.EventHandler;
import io.caravanserai.bus.EventVerifier;
import io.caravanserai.bus.HubName;
import io.caravanserai.bus.Retry;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventCodec;
import io.caravanserai.event.InvalidEventException;
import io.caravanserai.kafka.RecordHandler.Taken;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;

/**
 * Events over one Kafka topic, with all events of an order in one partition. Each subscriber is a consumer group, so
 * that several hubs share the partitions.
 */
public final class KafkaEventBus implements EventBus {
    /** Large enough that many events share a commit of the store, and small enough to need little memory. */
    private static final RecordConsumer.Limits LIMITS = new RecordConsumer.Limits(500, Duration.ofSeconds(2));

    private static final Duration START_TIMEOUT = Duration.ofSeconds(5);
    private static final int THREADS_PER_SUBSCRIBER = 8;

    private final KafkaConnection connection;
    private final HubName name;
    private final EventCodec codec;
    private final Retry retry;
    private final KafkaDeadLetters deadLetters;
    private final EventBusListener listener;
    private final EventVerifier verifier;
    private final RecordSender sender;
    private final List<Subscriber> subscribers = new CopyOnWriteArrayList<>();
    private volatile String unavailableReason;

    /** @param connection creates the topic of order events */
    public KafkaEventBus(
            KafkaConnection connection,
            HubName name,
            EventCodec codec,
            Retry retry,
            KafkaDeadLetters deadLetters,
            EventBusListener listener,
            EventVerifier verifier) {
        this.connection = connection;
        this.name = name;
        this.codec = codec;
        this.retry = retry;
        this.deadLetters = deadLetters;
        this.listener = listener;
        this.verifier = verifier;
        this.sender = new RecordSender(connection, "kafka-events");
    }

    @Override
    public CompletableFuture<Void> publish(List<CloudEvent> events) {
        var records = events.stream()
                .map(event -> KafkaCloudEvents.write(KafkaTopic.ORDER_EVENTS.name(), event, name))
                .toList();
        // A subscriber from before this publish must receive the events, even if the brokers have been unavailable
        // since.
        CompletableFuture<?>[] positions = subscribers.stream()
                .map(subscriber -> subscriber.consumer.positioned())
                .toArray(CompletableFuture<?>[]::new);
        return CompletableFuture.allOf(positions)
                .thenCompose(nothing -> sender.send(records))
                .exceptionallyCompose(failure -> CompletableFuture.<Void>failedFuture(
                        cause(failure) instanceof RecordTooLargeException tooLarge
                                ? new InvalidEventException("too-large", tooLarge.getMessage())
                                : failure))
                .whenComplete((nothing, failure) -> {
                    if (cause(failure) instanceof InvalidEventException) {
                        // The event is at fault, not the brokers.
                        unavailableReason = null;
                    } else if (failure == null) {
                        unavailableReason = null;
                        listener.published(events.size());
                    } else {
                        unavailableReason =
                                "cannot send events to Kafka: " + cause(failure).getMessage();
                    }
                });
    }

    @Override
    public Subscription subscribe(String subscriber, EventHandler handler) {
        ExecutorService executor = threads(subscriber);
        Delivery delivery = new Delivery(subscriber, handler, codec, retry, executor, deadLetters, listener, verifier);
        deadLetters
                .letters()
                .replayedBy(
                        Delivery.channel(subscriber),
                        letter -> delivery.redeliver(KafkaCloudEvents.attributes(letter.headers()), letter.body()));
        RecordConsumer consumer = new RecordConsumer(
                connection,
                name.subscription(subscriber),
                KafkaTopic.ORDER_EVENTS.name(),
                RecordConsumer.From.NOW,
                LIMITS,
                handler(delivery));
        connection.watchGroup(name.subscription(subscriber));
        Subscriber subscribed = new Subscriber(consumer, delivery, executor);
        subscribers.add(subscribed);
        consumer.start();
        if (connection.unavailableReason().isEmpty()) {
            // If the brokers answer, the subscriber has a start position when this method returns.
            consumer.awaitPositioned(START_TIMEOUT);
        }
        return subscribed;
    }

    private CompletableFuture<Void> deliver(Delivery delivery, ConsumerRecord<byte[], byte[]> record) {
        Delivery.Incoming incoming = KafkaCloudEvents.read(record);
        return name.isOther(incoming.attributes())
                ? CompletableFuture.completedFuture(null)
                : delivery.deliver(record.topic(), incoming);
    }

    private RecordHandler handler(Delivery delivery) {
        return new RecordHandler() {
            @Override
            public Taken take(ConsumerRecord<byte[], byte[]> record) {
                return Taken.until(deliver(delivery, record));
            }

            @Override
            public CompletableFuture<Void> setAside(ConsumerRecord<byte[], byte[]> record, Throwable failure) {
                return delivery.setAside(record.topic(), KafkaCloudEvents.read(record), failure);
            }
        };
    }

    @Override
    public Optional<String> unavailableReason() {
        return connection
                .unavailableReason()
                .or(() -> Optional.ofNullable(unavailableReason))
                .or(() -> subscribers.stream()
                        .flatMap(subscriber -> Stream.concat(
                                subscriber.consumer.unavailableReason().stream(), subscriber.notPositioned().stream()))
                        .findFirst());
    }

    @Override
    public void unsubscribeAll() {
        // Signal all subscribers first, so that all stop in parallel.
        subscribers.forEach(subscriber -> subscriber.consumer.stopAccepting());
        subscribers.forEach(Subscriber::close);
    }

    @Override
    public void close() {
        sender.close();
        unsubscribeAll();
    }

    private static ExecutorService threads(String subscriber) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                THREADS_PER_SUBSCRIBER,
                THREADS_PER_SUBSCRIBER,
                30,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                work -> new Thread(work, "events-" + subscriber + "-" + number.incrementAndGet()));
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    private final class Subscriber implements Subscription {
        private final RecordConsumer consumer;
        private final Delivery delivery;
        private final ExecutorService executor;

        private Subscriber(RecordConsumer consumer, Delivery delivery, ExecutorService executor) {
            this.consumer = consumer;
            this.delivery = delivery;
            this.executor = executor;
        }

        private Optional<String> notPositioned() {
            return consumer.positioned().isDone()
                    ? Optional.empty()
                    : Optional.of("a subscriber of events has no start position in the topic yet");
        }

        @Override
        public void close() {
            subscribers.remove(this);
            consumer.close();
            delivery.close();
            executor.shutdown();
        }
    }
}
