package io.caravanserai.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Tells how far SQLite's write-ahead log has been written since it was begun anew. The file itself keeps its size then;
 * frames of an earlier round have another salt. Source: sqlite.org/fileformat2.html, section 4.1.
 *
 * <p>For one thread, and for as long as a connection keeps the log from being deleted.
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

    /** Of the file, whatever part of it is in use. */
    long bytes() throws IOException {
        return log.size();
    }

    /** Whether the log has at least so many frames. */
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
