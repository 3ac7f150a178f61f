package io.caravanserai.kafka;

import io.caravanserai.support.Digests;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Reads the key or the body of a record up to a limit. A larger one is read as null, and a header of the record carries
 * size and digest instead: a few compressed bytes can expand to very many, which would fill the heap and, as dead
 * letters, the disk. Thread-safe.
 */
final class BoundedBytes implements Deserializer<byte[]> {
    /** Header in place of a body that was too large. */
    static final String BODY_LEFT_OUT = "body-left-out";

    /** Header in place of a key that was too large. */
    static final String KEY_LEFT_OUT = "key-left-out";

    /** Maximum body size in bytes: the same as over JMS, and more than an order may have. */
    static final int MAX_BODY_BYTES = 4 * 1024 * 1024;

    /** Maximum key size in bytes; a key with a meaning is an order's id. */
    static final int MAX_KEY_BYTES = 64 * 1024;

    private final String header;
    private final int maxBytes;

    private BoundedBytes(String header, int maxBytes) {
        this.header = header;
        this.maxBytes = maxBytes;
    }

    static BoundedBytes ofKeys() {
        return new BoundedBytes(KEY_LEFT_OUT, MAX_KEY_BYTES);
    }

    static BoundedBytes ofBodies() {
        return new BoundedBytes(BODY_LEFT_OUT, MAX_BODY_BYTES);
    }

    @Override
    public byte[] deserialize(String topic, byte[] bytes) {
        return bytes;
    }

    @Override
    public byte[] deserialize(String topic, Headers headers, ByteBuffer bytes) {
        if (headers.lastHeader(header) != null) {
            // Only this class may set the header.
            headers.remove(header);
        }
        if (bytes == null) {
            return null;
        }
        if (bytes.remaining() > maxBytes) {
            String summary = bytes.remaining() + " bytes, SHA-256 " + Digests.sha256(bytes.slice());
            // An unread header is a part of the record's buffer, and would keep the whole buffer in memory.
            headers.forEach(Header::value);
            headers.add(header, summary.getBytes(StandardCharsets.UTF_8));
            return null;
        }
        byte[] read = new byte[bytes.remaining()];
        bytes.get(read);
        return read;
    }
}
