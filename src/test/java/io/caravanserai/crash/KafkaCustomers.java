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

/** Customers that send orders with every outcome and style to a topic, some twice, with or without a running hub. */
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
        // Timeouts that outlast a kill and restart of the broker.
        this.producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        brokers,
                        "acks",
                        "all",
                        // With more, a record without a leader in a new topic is overtaken by the next record and then
                        // refused.
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

    /** Sent orders, with or without an acknowledgement. */
    Map<String, TestOrder> sent() {
        return Map.copyOf(sent);
    }

    /** Ids of orders acknowledged by the broker. */
    Set<String> acknowledged() {
        return Set.copyOf(acknowledged);
    }

    /** Waits for more acknowledgements. */
    void awaitMore(int orders) {
        int before = acknowledged.size();
        await().atMost(Duration.ofMinutes(5)).until(() -> acknowledged.size() >= before + orders);
    }

    /** Stops sending and waits until all sent orders are acknowledged; the broker should run. */
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
