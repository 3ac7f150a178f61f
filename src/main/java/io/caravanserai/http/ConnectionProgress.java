package io.caravanserai.http;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.TimeUnit;

/** Tracks the progress of requests and responses on one connection. Used only on the thread of the connection. */
final class ConnectionProgress {
    private final Channel channel;
    private final long requestNanos;
    private final long idleNanos;
    private final long checkNanos;
    private final Bytes bytes = new Bytes();
    private final Parts parts = new Parts();

    /** Whether a request has begun and is incomplete. */
    private boolean receiving;

    private long receivingSince;
    /** Whether the head of the incomplete request has arrived, so that {@link #unanswered} includes the request. */
    private boolean headSeen;
    /** Number of requests without a completely written response. */
    private int unanswered;
    /** Whether the response to an incomplete request has begun. */
    private boolean answeredEarly;

    private boolean ending;
    private long activeAt = System.nanoTime();
    private long pendingBytes;
    private Object pendingMessage;
    private long pendingProgress;

    ConnectionProgress(Channel channel, long requestNanos, long idleNanos, long checkNanos) {
        this.channel = channel;
        this.requestNanos = requestNanos;
        this.idleNanos = idleNanos;
        this.checkNanos = checkNanos;
    }

    ChannelHandler ofBytes() {
        return bytes;
    }

    ChannelHandler ofParts() {
        return parts;
    }

    void start() {
        channel.eventLoop().schedule(this::check, checkNanos, TimeUnit.NANOSECONDS);
    }

    private void receive() {
        receiving = true;
        receivingSince = System.nanoTime();
        answeredEarly = false;
    }

    private void check() {
        if (!channel.isOpen() || ending) {
            return;
        }
        long now = System.nanoTime();
        boolean isHeldBack = !channel.config().isAutoRead() || unanswered > 0 && !headSeen;
        if (receiving && isHeldBack) {
            // The server has paused reading, or answers the request before.
            receivingSince = now;
        }
        if (receiving && now - receivingSince > requestNanos) {
            end(408, "the request was not complete in time (hub.http.request-timeout)");
            return;
        }
        if (takesWhatItIsSent() && unanswered > 0) {
            activeAt = now;
        } else if (now - activeAt > idleNanos) {
            ConnectionDeadlines.closeNow(channel);
            return;
        }
        start();
    }

    /** Whether no bytes wait to be written, or some bytes were written since the last check. */
    private boolean takesWhatItIsSent() {
        ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
        if (buffer == null || buffer.totalPendingWriteBytes() == 0) {
            pendingBytes = 0;
            return true;
        }
        boolean moved = buffer.totalPendingWriteBytes() != pendingBytes
                || buffer.current() != pendingMessage
                || buffer.currentProgress() != pendingProgress;
        pendingBytes = buffer.totalPendingWriteBytes();
        pendingMessage = buffer.current();
        pendingProgress = buffer.currentProgress();
        return moved;
    }

    /** Sends an error response if no other response has begun, and closes the connection. */
    private void end(int status, String detail) {
        ending = true;
        boolean mayAnswer = !answeredEarly && unanswered == (headSeen ? 1 : 0);
        if (!mayAnswer) {
            ConnectionDeadlines.closeNow(channel);
            return;
        }
        bytes.context.write(Unpooled.wrappedBuffer(ProtocolProblems.raw(status, detail)));
        channel.close();
    }

    /** Before the decoder: also sees bytes that form no request yet. */
    private final class Bytes extends ChannelInboundHandlerAdapter {
        private ChannelHandlerContext context;

        @Override
        public void handlerAdded(ChannelHandlerContext added) {
            context = added;
        }

        @Override
        public void channelRead(ChannelHandlerContext from, Object message) {
            if (ending) {
                ReferenceCountUtil.release(message);
                return;
            }
            activeAt = System.nanoTime();
            if (!receiving) {
                receive();
            }
            from.fireChannelRead(message);
        }
    }

    /** After the decoder: sees where requests and responses begin and end. */
    private final class Parts extends ChannelDuplexHandler {
        @Override
        public void channelRead(ChannelHandlerContext from, Object message) {
            if (ending) {
                ReferenceCountUtil.release(message);
                return;
            }
            if (message instanceof HttpRequest request) {
                if (isUnknown(request.protocolVersion())) {
                    ReferenceCountUtil.release(message);
                    end(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
                    return;
                }
                begin();
            }
            if (message instanceof HttpContent content) {
                if (content.decoderResult().isFailure() && !(message instanceof HttpRequest)) {
                    ReferenceCountUtil.release(message);
                    end(400, "the body is not encoded rightly");
                    return;
                }
                if (content instanceof LastHttpContent) {
                    receiving = false;
                    headSeen = false;
                }
            }
            from.fireChannelRead(message);
        }

        private boolean isUnknown(HttpVersion version) {
            // By identity, for http/1.1 is equal to HTTP/1.1 and no name of it.
            return version != HttpVersion.HTTP_1_0 && version != HttpVersion.HTTP_1_1;
        }

        /** Also handles a pipelined request that arrives in one packet with the end of the request before. */
        private void begin() {
            if (!receiving) {
                receive();
            }
            headSeen = true;
            unanswered++;
        }

        @Override
        public void write(ChannelHandlerContext to, Object message, ChannelPromise promise) {
            if (ending) {
                ReferenceCountUtil.release(message);
                promise.tryFailure(new IllegalStateException("the connection is being closed"));
                return;
            }
            boolean isInterim =
                    message instanceof HttpResponse head && head.status().code() < 200;
            if (!isInterim) {
                answeredEarly |= headSeen && unanswered == 1;
                if (message instanceof LastHttpContent) {
                    unanswered--;
                    activeAt = System.nanoTime();
                }
            }
            to.write(message, promise);
        }
    }
}
