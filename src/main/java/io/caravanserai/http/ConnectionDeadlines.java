package io.caravanserai.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Bounds how long a connection may hold its socket. A request that has begun must be there as a whole within the request
 * timeout, however slowly its bytes drip, else it is answered 408 where that is possible and the connection is closed. A
 * connection on which nothing happens is closed after the idle timeout; one whose request is being answered is not idle
 * however long the answer takes, unless the client takes nothing of what it is sent. Thread-safe.
 */
final class ConnectionDeadlines {
    /** Of Vert.x, which names the handlers of its pipeline so. */
    private static final String DECODER = "httpDecoder";

    private static final String HANDLER = "handler";

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

    /** To be called on the channel's thread, before anything is read from the channel. */
    void watch(Channel channel) {
        ConnectionProgress progress = new ConnectionProgress(channel, requestNanos, idleNanos, checkNanos);
        ChannelPipeline pipeline = channel.pipeline();
        pipeline.addBefore(DECODER, "bytes-of-requests", progress.ofBytes());
        pipeline.addBefore(HANDLER, "parts-of-requests", progress.ofParts());
        progress.start();
        channels.add(channel);
        channel.closeFuture().addListener(closed -> channels.remove(channel));
    }

    int connections() {
        return channels.size();
    }

    /** Closes every connection at once, whatever is still to be written to it. */
    void closeAll() {
        channels.forEach(ConnectionDeadlines::closeNow);
    }

    /** Past Vert.x, which would wait until all that was sent has been taken. */
    static void closeNow(Channel channel) {
        channel.eventLoop().execute(() -> {
            ChannelHandlerContext first = channel.pipeline().firstContext();
            // Null when the channel has been closed meanwhile.
            if (first != null) {
                first.close();
            }
        });
    }
}
