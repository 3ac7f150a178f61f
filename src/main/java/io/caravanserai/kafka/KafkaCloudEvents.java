package io.caravanserai.kafka;

import io.caravanserai.bus.Delivery;
import io.caravanserai.bus.HubName;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.support.Utf8;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/** CloudEvents in the binary content mode of the Kafka protocol binding; the record's key is the order's id. */
public final class KafkaCloudEvents {
    private static final String PREFIX = "ce_";
    private static final String CONTENT_TYPE = "content-type";

    private KafkaCloudEvents() {}

    /** The record of a hub's event. All events of an order go to one partition and stay in sequence. */
    public static ProducerRecord<byte[], byte[]> write(String topic, CloudEvent event, HubName hub) {
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(topic, bytes(event.orderId()), bytes(event.data()));
        event.attributes().forEach((name, value) -> record.headers().add(PREFIX + name, bytes(value)));
        hub.attributes().forEach((name, value) -> record.headers().add(PREFIX + name, bytes(value)));
        record.headers().add(CONTENT_TYPE, bytes(CloudEvent.CONTENT_TYPE));
        return record;
    }

    /** The content of a record, which may be no event. */
    static Delivery.Incoming read(ConsumerRecord<byte[], byte[]> record) {
        Map<String, String> headers = RecordText.headers(record);
        Optional<String> text = Utf8.text(record.value());
        boolean base64 = text.isEmpty() && record.value() != null;
        return new Delivery.Incoming(
                RecordText.place(record),
                attributes(headers),
                () -> headers,
                base64 ? Base64.getEncoder().encodeToString(record.value()) : text.orElse(null),
                base64);
    }

    /** The CloudEvents attributes among a record's headers, without the prefix. */
    static Map<String, String> attributes(Map<String, String> headers) {
        Map<String, String> attributes = new LinkedHashMap<>();
        headers.forEach((name, value) -> {
            if (name.startsWith(PREFIX)) {
                attributes.put(name.substring(PREFIX.length()), value);
            }
        });
        return attributes;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
