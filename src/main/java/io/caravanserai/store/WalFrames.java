package io.caravanserai.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Measures the fill level of SQLite's write-ahead log since the last restart of the log. The file keeps the size after
 * a restart; frames from before the restart have another salt. Source: sqlite.org/fileformat2.html, section 4.1.
 *
 * <p>For one thread, and only while an open connection keeps the log from being deleted.
 */
final class WalFrames implements AutoCloseable {
    private static final int HEADER = 32;
    private static final int FRAME_HEADER = 24;
    private static final int PAGE_SIZE_AT = 8;
    private static final int SALT_AT = 16;
    private static final int SALT_OF_FRAME_AT = 8;

    private final Path file;
    private final FileChannel log;

    WalFrames(Path file) throws IOException {
        this.file = file;
        this.log = FileChannel.open(file, StandardOpenOption.READ);
    }

    Path file() {
        return file;
    }

    /** Size of the file in bytes, unused parts included. */
    long bytes() throws IOException {
        return log.size();
    }

    /** Whether the log has at least the given number of frames. */
    boolean hasReached(int frames) throws IOException {
        ByteBuffer header = read(0, HEADER);
        if (header.limit() < HEADER) {
            return false;
        }
        long pageSize = Integer.toUnsignedLong(header.getInt(PAGE_SIZE_AT));
        ByteBuffer last = read(HEADER + (frames - 1) * (pageSize + FRAME_HEADER), FRAME_HEADER);
        return last.limit() == FRAME_HEADER && last.getLong(SALT_OF_FRAME_AT) == header.getLong(SALT_AT);
    }

    private ByteBuffer read(long position, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        while (buffer.hasRemaining() && log.read(buffer, position + buffer.position()) > 0) {
            continue;
        }
        return buffer.flip();
    }

    @Override
    public void close() throws IOException {
        log.close();
    }
}
