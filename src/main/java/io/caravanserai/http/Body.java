package io.caravanserai.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.util.function.Consumer;

/**
 * Reads the body of a request up to a limit. The bytes above the limit are discarded, so that a client that is still
 * sending receives the response. Closes the connection of a client that sends far more.
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
     * @param whole receives the complete body
     * @param tooLarge runs instead, and at once, when the body exceeds {@link #LIMIT}
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
