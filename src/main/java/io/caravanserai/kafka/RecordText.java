package io.caravanserai.kafka;

import io.caravanserai.support.Utf8;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/** What a record says as text; records are bytes and may be anything. */
public final class RecordText {

    private RecordText() {}

    /** The headers, the last one where a name is there twice. Bytes that are no text show as replacement characters. */
    public static Map<String, String> headers(ConsumerRecord<byte[], byte[]> record) {
        Map<String, String> headers = new LinkedHashMap<>();
        for (Header header : record.headers()) {
            headers.put(header.key(), header.value() == null ? "" : new String(header.value(), StandardCharsets.UTF_8));
        }
        return headers;
    }

    /** What a header says of a body that was too large to be taken: its size and its digest. */
    public static Optional<String> bodyLeftOut(ConsumerRecord<byte[], byte[]> record) {
        return Optional.ofNullable(record.headers().lastHeader(BoundedBytes.BODY_LEFT_OUT))
                .flatMap(header -> Utf8.text(header.value()));
    }

    /** Takes away what says that something was left out: what is sent again is sent as it is. */
    public static void withoutLeftOut(Map<String, String> headers) {
        headers.keySet()
                .removeAll(Set.of(BoundedBytes.BODY_LEFT_OUT, BoundedBytes.KEY_LEFT_OUT, BoundedHeaders.LEFT_OUT));
    }

    /** Where a record is, with its time: a topic that was made anew has other records in the same places. */
    public static String place(ConsumerRecord<byte[], byte[]> record) {
        return record.topic() + '-' + record.partition() + '-' + record.offset() + '@' + record.timestamp();
    }
}
