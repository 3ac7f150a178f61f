package io.caravanserai.kafka;

import io.caravanserai.support.Utf8;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/** The text of a record; records are bytes and may contain anything. */
public final class RecordText {

    private RecordText() {}

    /** The headers; if a name occurs twice, the last one. Bytes that are no text become replacement characters. */
    public static Map<String, String> headers(ConsumerRecord<byte[], byte[]> record) {
        Map<String, String> headers = new LinkedHashMap<>();
        for (Header header : record.headers()) {
            headers.put(header.key(), header.value() == null ? "" : new String(header.value(), StandardCharsets.UTF_8));
        }
        return headers;
    }

    /** Size and digest of a body that was too large; empty if the body was not left out. */
    public static Optional<String> bodyLeftOut(ConsumerRecord<byte[], byte[]> record) {
        return Optional.ofNullable(record.headers().lastHeader(BoundedBytes.BODY_LEFT_OUT))
                .flatMap(header -> Utf8.text(header.value()));
    }

    /** Removes the headers that say that parts were left out: a replay sends the message as stored. */
    public static void withoutLeftOut(Map<String, String> headers) {
        headers.keySet()
                .removeAll(Set.of(BoundedBytes.BODY_LEFT_OUT, BoundedBytes.KEY_LEFT_OUT, BoundedHeaders.LEFT_OUT));
    }

    /**
     * The position of a record, with the timestamp: a topic that was created again has other records at the same
     * positions.
     */
    public static String place(ConsumerRecord<byte[], byte[]> record) {
        return record.topic() + '-' + record.partition() + '-' + record.offset() + '@' + record.timestamp();
    }
}
