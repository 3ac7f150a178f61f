package io.caravanserai.http;

import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Hands the server one request of a connection at a time, and decides with each answer whether another request may follow
 * it. The connection ends after an answer that says {@code Connection: close}, and after one that comes before a body that
 * may never be sent or may be long: bytes of a body must never be taken for the next request (RFC 9110, section 10.1.1;
 * RFC 9112, section 9.3). No request behind the last one is handled. Used on the connection's own thread only.
 */
final class RequestSequence extends ChannelDuplexHandler {
    /** Pipelined requests, in parts, behind the one that is being answered. */
    private final Queue<Object> held = new ArrayDeque<>();

    /** Whether this handler has stopped the reading from the socket. */
    private boolean isPaused;
    /** Whether the server has a request whose answer has not been written to its end. */
    private boolean isAnswering;
    /** Whether that request, or the one answered last, has a body that is not all there. */
    private boolean isBodyComing;

    private boolean isBodyLong;
    /** Whether the client may wait for permission to send that body. */
    private boolean isPermissionPending;

    private boolean isLast;
    private boolean isOver;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (isOver) {
            ReferenceCountUtil.release(message);
        } else if (!held.isEmpty() || isAnswering && message instanceof HttpRequest) {
            held.add(message);
            pause(context.channel().config());
        } else {
            pass(context, message);
        }
    }

    private void pause(ChannelConfig config) {
        // Else the server has stopped the reading, and starts it again.
        if (config.isAutoRead()) {
            isPaused = true;
            config.setAutoRead(false);
        }
    }

    private void pass(ChannelHandlerContext context, Object message) {
        if (message instanceof HttpRequest head) {
            begin(head);
        }
        if (message instanceof LastHttpContent) {
            isBodyComing = false;
        }
        context.fireChannelRead(message);
    }

    private void begin(HttpRequest head) {
        isAnswering = true;
        isLast = head.decoderResult().isFailure() || !HttpUtil.isKeepAlive(head);
        if (!isLast) {
            boolean isChunked = HttpUtil.isTransferEncodingChunked(head);
            long length = HttpUtil.getContentLength(head, 0L);
            isBodyComing = isChunked || length > 0;
            isBodyLong = isChunked || length > Body.LIMIT;
            isPermissionPending = head.headers().contains(HttpHeaderNames.EXPECT);
        }
    }

    private void passHeld(ChannelHandlerContext context) {
        if (isPaused) {
            isPaused = false;
            context.channel().config().setAutoRead(true);
        }
        while (!held.isEmpty() && !(isAnswering && held.peek() instanceof HttpRequest)) {
            pass(context, held.remove());
        }
        if (!held.isEmpty()) {
            pause(context.channel().config());
        }
        context.fireChannelReadComplete();
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (message instanceof HttpResponse head) {
            if (head.status().code() < 200) {
                isPermissionPending = false;
                context.write(message, promise);
                return;
            }
            isLast |= endsTheConnection(head);
            if (isLast) {
                head.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            }
        }
        if (message instanceof LastHttpContent) {
            isAnswering = false;
            if (isLast) {
                isOver = true;
                releaseHeld();
                context.write(message, promise.unvoid()).addListener(written -> context.close());
                return;
            }
            if (!held.isEmpty()) {
                context.executor().execute(() -> passHeld(context));
            }
        }
        context.write(message, promise);
    }

    private boolean endsTheConnection(HttpResponse head) {
        boolean hasEndOfItsOwn = head instanceof LastHttpContent
                || HttpUtil.isContentLengthSet(head)
                || HttpUtil.isTransferEncodingChunked(head);
        return isBodyComing && (isBodyLong || isPermissionPending)
                || head.headers().containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE, true)
                || head.protocolVersion().equals(HttpVersion.HTTP_1_0) && !hasEndOfItsOwn;
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        releaseHeld();
    }

    private void releaseHeld() {
        held.forEach(ReferenceCountUtil::release);
        held.clear();
    }
}
