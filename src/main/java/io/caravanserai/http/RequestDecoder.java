package io.caravanserai.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.impl.VertxHttpRequestDecoder;
import java.util.List;

/**
 * Refuses two things that Netty accepts and that a proxy may read in another way: a folded header line (RFC 9112,
 * section 5.2) and a header without a name. Used on the connection's own thread only.
 */
final class RequestDecoder extends VertxHttpRequestDecoder {
    private boolean isInHead = true;
    private boolean isLineStart = true;
    private boolean isFolded;

    RequestDecoder(HttpServerOptions options) {
        super(options);
    }

    /** The detail of the answer is its message. */
    static final class MalformedHeadException extends IllegalArgumentException {
        private static final long serialVersionUID = 1;

        private MalformedHeadException(String message) {
            super(message);
        }
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf buffer, List<Object> out) throws Exception {
        int from = buffer.readerIndex();
        super.decode(context, buffer, out);
        if (isInHead) {
            // Netty returns after each head: all bytes of this call belong to it.
            lookForFolds(buffer, from);
        }
        for (Object each : out) {
            if (each instanceof HttpRequest head) {
                isInHead = false;
                check(head);
            }
            if (each instanceof LastHttpContent) {
                isInHead = true;
                isLineStart = true;
                isFolded = false;
            }
        }
    }

    private void lookForFolds(ByteBuf buffer, int from) {
        for (int at = from; at < buffer.readerIndex(); at++) {
            byte next = buffer.getByte(at);
            isFolded |= isLineStart && (next == ' ' || next == '\t');
            isLineStart = next == '\n';
        }
    }

    private void check(HttpRequest head) {
        if (head.decoderResult().isFailure()) {
            return;
        }
        if (isFolded) {
            refuse(head, "a line of the request's head begins with white space");
        } else if (head.headers().contains("")) {
            refuse(head, "a header has no name");
        }
    }

    private static void refuse(HttpRequest head, String detail) {
        head.setDecoderResult(DecoderResult.failure(new MalformedHeadException(detail)));
    }
}
