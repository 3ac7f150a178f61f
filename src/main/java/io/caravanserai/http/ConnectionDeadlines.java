package io.caravanserai.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Bounds how long a connection may hold a socket. A request must be complete within the request timeout after the first
 * byte, else the server answers 408 if possible and closes the connection. A connection without activity is closed
 * after the idle timeout. A connection with a request in progress is not idle, unless the client does not read.
 * Thread-safe.
 */
final class ConnectionDeadlines {
    private final long requestNanos;
    private final long idleNanos;
    private final long checkNanos;
    private final Set<Channel> channels = ConcurrentHashMap.newKeySet();

    ConnectionDeadlines(Duration requestTimeout, Duration idleTimeout) {
        this.requestNanos = requestTimeout.toNanos();
        this.idleNanos = idleTimeout.toNanos();
        this.checkNanos = Math.max(
                Duration.ofMillis(20).toNanos(),
                Math.min(Duration.ofSeconds(2).toNanos(), Math.min(requestNanos, idleNanos) / 20));
    }

    /** Call on the thread of the channel, before the first read. */
    void watch(Channel channel) {
        ConnectionProgress progress = new ConnectionProgress(channel, requestNanos, idleNanos, checkNanos);
        ChannelPipeline pipeline = channel.pipeline();
        pipeline.addBefore(BoundedHttpServer.DECODER, "bytes-of-requests", progress.ofBytes());
        pipeline.addBefore(BoundedHttpServer.HANDLER, "parts-of-requests", progress.ofParts());
        progress.start();
        channels.add(channel);
        channel.closeFuture().addListener(closed -> channels.remove(channel));
    }

    int connections() {
        return channels.size();
    }

    /** Closes every connection at once, also with unwritten bytes. */
    void closeAll() {
        channels.forEach(ConnectionDeadlines::closeNow);
    }

    /** Bypasses Vert.x and {@link LingeringClose}, which would wait for the client. */
    static void closeNow(Channel channel) {
        channel.eventLoop().execute(() -> {
            ChannelHandlerContext first = channel.pipeline().firstContext();
            // Null for a channel that is already closed.
            if (first != null) {
                first.close();
            }
        });
    }
}
