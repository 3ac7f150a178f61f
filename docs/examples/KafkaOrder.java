import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Sends an order over Kafka and prints its events until it has ended. Nothing but the Kafka client, which is in the hub's
 * lib folder:
 *
 * <pre>java -cp "target/hub/lib/*" docs/examples/KafkaOrder.java [host:port]</pre>
 */
public class KafkaOrder {
    public static void main(String[] arguments) throws Exception {
        String brokers = arguments.length > 0 ? arguments[0] : "localhost:9092";
        String id = "kafka-" + UUID.randomUUID();
        String order = """
                {"orderId": "%s", "customerId": "C-789", "items": [{"sku": "SADDLE-01", "quantity": 2, "unitPrice": 50.00}],
                 "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "NL"}}""".formatted(id);

        try (var consumer = new KafkaConsumer<>(
                        Map.<String, Object>of(
                                "bootstrap.servers", brokers, "group.id", id, "auto.offset.reset", "earliest"),
                        new StringDeserializer(),
                        new StringDeserializer());
                var producer = new KafkaProducer<>(
                        Map.<String, Object>of("bootstrap.servers", brokers, "acks", "all"),
                        new StringSerializer(),
                        new StringSerializer())) {
            var record = new ProducerRecord<>("orders", id, order);
            record.headers().add("idempotency-key", id.getBytes());
            record.headers().add("style", "request-reply".getBytes());
            producer.send(record).get();
            System.out.println("sent " + id);

            consumer.subscribe(List.of("order-events"));
            long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            while (System.nanoTime() < end) {
                for (ConsumerRecord<String, String> event : consumer.poll(Duration.ofSeconds(1))) {
                    if (!id.equals(event.key())) {
                        continue;
                    }
                    Header type = event.headers().lastHeader("ce_type");
                    String name = new String(type.value());
                    System.out.println(name + " " + event.value());
                    if (name.equals("OrderShipped") || name.equals("OrderCancelled")) {
                        return;
                    }
                }
            }
            System.err.println("the order has not ended within a minute");
            System.exit(1);
        }
    }
}
