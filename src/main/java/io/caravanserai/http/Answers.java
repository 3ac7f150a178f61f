package io.caravanserai.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;

/** Writes responses to the connections of requests. */
final class Answers {
    private Answers() {}

    /**
     * Writes a response, unless a response was written before or the client has disconnected. Call on the thread of the
     * connection.
     */
    static void write(HttpServerRequest request, Response response) {
        HttpServerResponse http = request.response();
        if (http.closed() || http.ended() || http.headWritten()) {
            return;
        }
        http.setStatusCode(response.status());
        http.headers().set("Cache-Control", "no-store").set("X-Content-Type-Options", "nosniff");
        response.headers().forEach(http.headers()::set);
        byte[] body = response.body();
        if (response.status() != 204) {
            http.headers().set("Content-Length", String.valueOf(body.length));
        }
        if (request.method().name().equals("HEAD") || body.length == 0) {
            http.end();
        } else {
            http.end(Buffer.buffer(body));
        }
    }
}
