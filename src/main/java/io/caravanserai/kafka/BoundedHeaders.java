package io.caravanserai.kafka;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Bounds the headers of a record: a sender may send as many and as large headers as the topic accepts. */
final class BoundedHeaders {
    /** Header with the number of headers that were left out. */
    static final String LEFT_OUT = "headers-left-out";

    /** Maximum size of all names and values together, in bytes. */
    private static final long MAX_BYTES = 1024 * 1024;

    private static final int MAX_COUNT = 10_000;

    private BoundedHeaders() {}

    /** The record, or a copy with as many headers as fit into the limits. */
    static ConsumerRecord<byte[], byte[]> of(ConsumerRecord<byte[], byte[]> record) {
        int count = 0;
        long size = 0;
        for (Header header : record.headers()) {
            count++;
            size += size(header);
        }
        return count <= MAX_COUNT && size <= MAX_BYTES ? record : bounded(record, count);
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
            if (!isOwn && keptCount < MAX_COUNT && keptSize + size(header) <= MAX_BYTES) {
                kept.add(header);
                keptCount++;
                keptSize += size(header);
            }
        }
        String leftOut = String.valueOf(count - keptCount);
        kept.add(new RecordHeader(LEFT_OUT, leftOut.getBytes(StandardCharsets.UTF_8)));
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
