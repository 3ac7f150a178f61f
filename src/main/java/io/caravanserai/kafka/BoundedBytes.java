package io.caravanserai.kafka;

import io.caravanserai.support.Digests;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Reads the key or the body of a record up to a limit. A larger one is null, and a header of the record has its size and
 * its digest instead: a few compressed bytes can stand for very many, which would fill the heap and, as dead letters, the
 * disk. Thread-safe.
 */
final class BoundedBytes implements Deserializer<byte[]> {
    /** Header that stands for a body that was too large. */
    static final String BODY_LEFT_OUT = "body-left-out";

    /** Header that stands for a key that was too large. */
    static final String KEY_LEFT_OUT = "key-left-out";

    /** The largest body, in bytes: as much as over JMS, and more than an order may have. */
    static final int LARGEST_BODY = 4 * 1024 * 1024;

    /** The largest key, in bytes; a key is an order's id where it means anything. */
    static final int LARGEST_KEY = 64 * 1024;

    private final String header;
    private final int largest;

    private BoundedBytes(String header, int largest) {
        this.header = header;
        this.largest = largest;
    }

    static BoundedBytes ofKeys() {
        return new BoundedBytes(KEY_LEFT_OUT, LARGEST_KEY);
    }

    static BoundedBytes ofBodies() {
        return new BoundedBytes(BODY_LEFT_OUT, LARGEST_BODY);
    }

    @Override
    public byte[] deserialize(String topic, byte[] bytes) {
        return bytes;
    }

    @Override
    public byte[] deserialize(String topic, Headers headers, ByteBuffer bytes) {
        if (headers.lastHeader(header) != null) {
            // Only this class says what was left out.
            headers.remove(header);
        }
        if (bytes == null) {
            return null;
        }
        if (bytes.remaining() > largest) {
            String instead = bytes.remaining() + " bytes, SHA-256 " + Digests.sha256(bytes.slice());
            // A header that nobody has read yet is a part of the record's buffer, and would keep the whole of it.
            headers.forEach(Header::value);
            headers.add(header, instead.getBytes(StandardCharsets.UTF_8));
            return null;
        }
        byte[] read = new byte[bytes.remaining()];
        bytes.get(read);
        return read;
    }
}
