package io.caravanserai.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.util.function.Consumer;

/**
 * Reads a request's body up to a limit. What goes beyond it is thrown away unread, so that a client that is still
 * sending gets to see the answer; one that sends far too much is cut off.
 */
final class Body {
    static final int LIMIT = 1024 * 1024;
    private static final long CUT_OFF = 32L * LIMIT;

    private final HttpServerRequest request;
    private final Consumer<byte[]> whole;
    private final Runnable tooLarge;
    private Buffer read = Buffer.buffer();
    private long length;

    private Body(HttpServerRequest request, Consumer<byte[]> whole, Runnable tooLarge) {
        this.request = request;
        this.whole = whole;
        this.tooLarge = tooLarge;
    }

    /**
     * @param whole given the body once it is all there
     * @param tooLarge run instead, and at once, when it is more than {@link #LIMIT}
     */
    static void read(HttpServerRequest request, Consumer<byte[]> whole, Runnable tooLarge) {
        Body body = new Body(request, whole, tooLarge);
        String announced = request.getHeader("Content-Length");
        boolean hasPermission = true;
        if (announced != null && announced.length() > 7 || announced != null && Long.parseLong(announced) > LIMIT) {
            body.length = LIMIT;
            body.giveUp();
            hasPermission = false;
        }
        if (hasPermission && "100-continue".equalsIgnoreCase(request.getHeader("Expect"))) {
            request.response().writeContinue();
        }
        request.handler(body::more).endHandler(end -> body.end()).resume();
    }

    private void more(Buffer chunk) {
        length += chunk.length();
        if (length > CUT_OFF) {
            request.connection().close();
        } else if (read != null && length > LIMIT) {
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
