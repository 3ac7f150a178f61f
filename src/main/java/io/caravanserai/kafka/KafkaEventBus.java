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
 * Events over Kafka: one topic, in which the events of an order lie in one partition; each subscriber is a consumer
 * group, so that several hubs share its partitions.
 */
public final class KafkaEventBus implements EventBus {
    /** Enough that commits of the store are shared by many events, few enough to be forgotten. */
    private static final RecordConsumer.Limits LIMITS = new RecordConsumer.Limits(500, Duration.ofSeconds(2));

    private static final Duration PLACED_WITHIN = Duration.ofSeconds(5);
    private static final int THREADS_OF_A_SUBSCRIBER = 8;

    private final KafkaConnection link;
    private final HubName name;
    private final EventCodec codec;
    private final Retry retry;
    private final KafkaDeadLetters deadLetters;
    private final EventBusListener listener;
    private final EventVerifier verifier;
    private final RecordSender sender;
    private final List<Subscriber> subscribers = new CopyOnWriteArrayList<>();
    private volatile String trouble;

    /**
     * @param link which sees to the topic of order events
     */
    public KafkaEventBus(
            KafkaConnection link,
            HubName name,
            EventCodec codec,
            Retry retry,
            KafkaDeadLetters deadLetters,
            EventBusListener listener,
            EventVerifier verifier) {
        this.link = link;
        this.name = name;
        this.codec = codec;
        this.retry = retry;
        this.deadLetters = deadLetters;
        this.listener = listener;
        this.verifier = verifier;
        this.sender = new RecordSender(link, "kafka-events");
    }

    @Override
    public CompletableFuture<Void> publish(List<CloudEvent> events) {
        var records = events.stream()
                .map(event -> KafkaCloudEvents.write(KafkaTopic.ORDER_EVENTS.name(), event, name))
                .toList();
        // Who subscribed before this was published must hear it, even if the brokers have been away since.
        CompletableFuture<?>[] places = subscribers.stream()
                .map(subscriber -> subscriber.intake.placed())
                .toArray(CompletableFuture<?>[]::new);
        return CompletableFuture.allOf(places)
                .thenCompose(nothing -> sender.send(records))
                .exceptionallyCompose(failure -> CompletableFuture.<Void>failedFuture(
                        cause(failure) instanceof RecordTooLargeException tooLarge
                                ? new InvalidEventException("too-large", tooLarge.getMessage())
                                : failure))
                .whenComplete((nothing, failure) -> {
                    if (cause(failure) instanceof InvalidEventException) {
                        // Of an event, not of the brokers.
                        trouble = null;
                    } else if (failure == null) {
                        trouble = null;
                        listener.published(events.size());
                    } else {
                        trouble = "events cannot be sent to Kafka: "
                                + cause(failure).getMessage();
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
        RecordConsumer intake = new RecordConsumer(
                link,
                name.subscription(subscriber),
                KafkaTopic.ORDER_EVENTS.name(),
                RecordConsumer.From.NOW,
                LIMITS,
                handler(delivery));
        link.watchGroup(name.subscription(subscriber));
        Subscriber subscribed = new Subscriber(intake, delivery, executor);
        subscribers.add(subscribed);
        intake.start();
        if (link.unavailableReason().isEmpty()) {
            // A moment's patience: with brokers that answer, the subscriber has its place when this returns.
            intake.awaitPlaced(PLACED_WITHIN);
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
        return link.unavailableReason()
                .or(() -> Optional.ofNullable(trouble))
                .or(() -> subscribers.stream()
                        .flatMap(subscriber -> Stream.concat(
                                subscriber.intake.unavailableReason().stream(), subscriber.notPlaced().stream()))
                        .findFirst());
    }

    @Override
    public void unsubscribeAll() {
        // All are told first, so that they stop beside each other.
        subscribers.forEach(subscriber -> subscriber.intake.stopAccepting());
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
                THREADS_OF_A_SUBSCRIBER,
                THREADS_OF_A_SUBSCRIBER,
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
        private final RecordConsumer intake;
        private final Delivery delivery;
        private final ExecutorService executor;

        private Subscriber(RecordConsumer intake, Delivery delivery, ExecutorService executor) {
            this.intake = intake;
            this.delivery = delivery;
            this.executor = executor;
        }

        private Optional<String> notPlaced() {
            return intake.placed().isDone()
                    ? Optional.empty()
                    : Optional.of("a subscriber of events waits for its place in the topic");
        }

        @Override
        public void close() {
            subscribers.remove(this);
            intake.close();
            delivery.close();
            executor.shutdown();
        }
    }
}
