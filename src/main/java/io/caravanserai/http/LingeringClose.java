package io.caravanserai.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.TimeUnit;

/**
 * Closes a connection in stages, RFC 9112, section 9.6: the last answer is sent, then the end of the stream, and what the
 * client still sends is read and thrown away until it closes its side. A socket that is closed with unread bytes is reset,
 * and a reset takes the answer from a client that has not read it. Used on the connection's own thread only.
 */
final class LingeringClose extends ChannelDuplexHandler {
    private static final long MAX_DISCARDED = 32L * Body.LIMIT;
    private static final int MAX_SECONDS = 30;
    /** A client that sends nothing for so long has nothing left to send. */
    private static final int MAX_SILENT_SECONDS = 2;

    private boolean isClosing;
    private long discarded;
    private int seconds;
    private int silentSeconds;

    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        Channel channel = context.channel();
        if (!channel.isActive()) {
            context.close(promise);
            return;
        }
        if (!promise.isVoid()) {
            channel.closeFuture().addListener(closed -> promise.trySuccess());
        }
        if (isClosing) {
            return;
        }
        isClosing = true;
        channel.config().setAutoRead(true);
        context.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> ((DuplexChannel) channel).shutdownOutput());
        checkLater(context);
    }

    private void checkLater(ChannelHandlerContext context) {
        context.executor().schedule(() -> check(context), 1, TimeUnit.SECONDS);
    }

    private void check(ChannelHandlerContext context) {
        seconds++;
        silentSeconds++;
        if (!context.channel().isOpen()) {
            return;
        }
        if (seconds >= MAX_SECONDS || silentSeconds > MAX_SILENT_SECONDS) {
            context.close();
        } else {
            checkLater(context);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!isClosing) {
            context.fireChannelRead(message);
            return;
        }
        silentSeconds = 0;
        discarded += ((ByteBuf) message).readableBytes();
        ReferenceCountUtil.release(message);
        if (discarded > MAX_DISCARDED) {
            context.close();
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (isClosing) {
            ReferenceCountUtil.release(message);
            promise.tryFailure(new ClosedChannelException());
        } else {
            context.write(message, promise);
        }
    }
}
