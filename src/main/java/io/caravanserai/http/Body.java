package io.caravanserai.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.util.function.Consumer;

/** Reads the body of a request up to a limit. The response to a longer body ends the connection, see {@link RequestSequence}. */
final class Body {
    static final int LIMIT = 1024 * 1024;

    private final HttpServerRequest request;
    private final Consumer<byte[]> whole;
    private final Runnable tooLarge;
    private Buffer read = Buffer.buffer();

    private Body(HttpServerRequest request, Consumer<byte[]> whole, Runnable tooLarge) {
        this.request = request;
        this.whole = whole;
        this.tooLarge = tooLarge;
    }

    /**
     * @param whole receives the complete body
     * @param tooLarge runs instead, and at once, when the body exceeds {@link #LIMIT}
     */
    static void read(HttpServerRequest request, Consumer<byte[]> whole, Runnable tooLarge) {
        Body body = new Body(request, whole, tooLarge);
        String announced = request.getHeader("Content-Length");
        if (announced != null && Long.parseLong(announced) > LIMIT) {
            body.giveUp();
        } else if (RequestLine.expectsPermission(request)) {
            request.response().writeContinue();
        }
        request.handler(body::more).endHandler(end -> body.end()).resume();
    }

    private void more(Buffer chunk) {
        if (read != null && read.length() + chunk.length() > LIMIT) {
            giveUp();
        } else if (read != null) {
            read.appendBuffer(chunk);
        }
    }

    private void giveUp() {
        read = null;
        tooLarge.run();
    }

    private void end() {
        if (read != null) {
            whole.accept(read.getBytes());
        }
    }
}
