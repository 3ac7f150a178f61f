package io.caravanserai.kafka;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Bounds the headers of a record, of which a sender may send as many and as large ones as the topic takes. */
final class BoundedHeaders {
    /** Header that tells how many are not there. */
    static final String LEFT_OUT = "headers-left-out";

    /** Names and values of all headers, in bytes. */
    private static final long LARGEST = 1024 * 1024;

    private static final int MOST = 10_000;

    private BoundedHeaders() {}

    /** The record itself, or a copy with as many of its headers as there is room for. */
    static ConsumerRecord<byte[], byte[]> of(ConsumerRecord<byte[], byte[]> record) {
        int count = 0;
        long size = 0;
        for (Header header : record.headers()) {
            count++;
            size += size(header);
        }
        return count <= MOST && size <= LARGEST ? record : bounded(record, count);
    }

    private static ConsumerRecord<byte[], byte[]> bounded(ConsumerRecord<byte[], byte[]> record, int count) {
        Headers kept = new RecordHeaders();
        int keptCount = 0;
        long keptSize = 0;
        for (String own : new String[] {BoundedBytes.KEY_LEFT_OUT, BoundedBytes.BODY_LEFT_OUT}) {
            Header header = record.headers().lastHeader(own);
            if (header != null) {
                kept.add(header);
            }
        }
        for (Header header : record.headers()) {
            boolean isOwn = header.key().equals(BoundedBytes.KEY_LEFT_OUT)
                    || header.key().equals(BoundedBytes.BODY_LEFT_OUT)
                    || header.key().equals(LEFT_OUT);
            if (!isOwn && keptCount < MOST && keptSize + size(header) <= LARGEST) {
                kept.add(header);
                keptCount++;
                keptSize += size(header);
            }
        }
        String instead = String.valueOf(count - keptCount);
        kept.add(new RecordHeader(LEFT_OUT, instead.getBytes(StandardCharsets.UTF_8)));
        return new ConsumerRecord<>(
                record.topic(),
                record.partition(),
                record.offset(),
                record.timestamp(),
                record.timestampType(),
                record.serializedKeySize(),
                record.serializedValueSize(),
                record.key(),
                record.value(),
                kept,
                record.leaderEpoch());
    }

    private static long size(Header header) {
        return header.key().length() + (header.value() == null ? 0L : header.value().length);
    }
}
