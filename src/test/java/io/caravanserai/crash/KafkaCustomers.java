package io.caravanserai.crash;

import static org.awaitility.Awaitility.await;

import io.caravanserai.order.Style;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Customers who send orders of every fate and style to a topic, some of them twice, whether anybody takes them or not. */
final class KafkaCustomers implements AutoCloseable {
    private static final int UNACKNOWLEDGED = 50;
    private static final long PAUSE_MILLIS = 20;

    private final KafkaProducer<String, String> producer;
    private final Random choice;
    private final String run;
    private final Thread thread = new Thread(this::run, "kafka-customers");
    private final Semaphore free = new Semaphore(UNACKNOWLEDGED);
    private final Map<String, TestOrder> sent = new ConcurrentHashMap<>();
    private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    private final AtomicReference<Exception> surprise = new AtomicReference<>();
    private volatile boolean isOpen = true;

    KafkaCustomers(String brokers, long seed) {
        this.choice = new Random(seed);
        this.run = Long.toString(seed, 36);
        // Patient enough for a broker that is killed, and starts again.
        this.producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        brokers,
                        "acks",
                        "all",
                        // With more, what finds no leader yet in a new topic is overtaken, and then refused.
                        "max.in.flight.requests.per.connection",
                        1,
                        "delivery.timeout.ms",
                        180_000,
                        "max.block.ms",
                        180_000),
                new StringSerializer(),
                new StringSerializer());
    }

    KafkaCustomers start() {
        thread.start();
        return this;
    }

    private void run() {
        try {
            for (int number = 1; isOpen; number++) {
                TestOrder order = TestOrder.any("k-" + run + "-" + number, choice);
                Style style = Style.values()[choice.nextInt(Style.values().length)];
                sent.put(order.id(), order);
                send(order, style);
                if (choice.nextInt(10) == 0) {
                    send(order, style);
                }
                TimeUnit.MILLISECONDS.sleep(choice.nextInt((int) PAUSE_MILLIS));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void send(TestOrder order, Style style) throws InterruptedException {
        ProducerRecord<String, String> record = new ProducerRecord<>("orders", order.id(), order.json());
        record.headers().add("style", style.wire().getBytes(StandardCharsets.UTF_8));
        free.acquire();
        producer.send(record, (metadata, failure) -> {
            free.release();
            if (failure == null) {
                acknowledged.add(order.id());
            } else {
                surprise.compareAndSet(null, failure);
            }
        });
    }

    /** All that were sent, acknowledged or not. */
    Map<String, TestOrder> sent() {
        return Map.copyOf(sent);
    }

    /** Ids of the orders that the broker has said it has. */
    Set<String> acknowledged() {
        return Set.copyOf(acknowledged);
    }

    /** Waits until some more have been acknowledged. */
    void awaitMore(int orders) {
        int before = acknowledged.size();
        await().atMost(Duration.ofMinutes(5)).until(() -> acknowledged.size() >= before + orders);
    }

    /** Sends no more, and waits until all that was sent is acknowledged; the broker should be up. */
    @Override
    public void close() {
        isOpen = false;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        producer.close();
        if (surprise.get() != null) {
            throw new AssertionError("an order was not acknowledged", surprise.get());
        }
    }
}
