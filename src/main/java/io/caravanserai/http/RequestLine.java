package io.caravanserai.http;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.util.List;
import java.util.Optional;

/** Requirements of RFC 9110 and RFC 9112 for every request, independent of the path. */
final class RequestLine {
    private static final Response ONE_HOST =
            Problem.of(400, "the request must have one Host header").response();
    private static final Response NO_PATH =
            Problem.of(400, "the request target is no path").response();
    private static final Response UNKNOWN_CODING = Problem.of(501, "of transfer codings only chunked is known")
            .response()
            // The end of the body is unknown.
            .with("Connection", "close");
    private static final Response UNKNOWN_EXPECTATION =
            Problem.of(417, "only 100-continue can be expected").response();
    private static final Response SERVER_OPTIONS =
            Response.noContent().with("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS");

    private RequestLine() {}

    /** Returns the answer to a request without a path or with an unsupported header; empty for a request to handle. */
    static Optional<Response> answer(HttpServerRequest request) {
        if (request.version() == HttpVersion.HTTP_1_1
                && request.headers().getAll("Host").size() != 1) {
            return Optional.of(ONE_HOST);
        }
        List<String> codings = request.headers().getAll("Transfer-Encoding");
        if (codings.size() > 1 || !codings.isEmpty() && !codings.get(0).trim().equalsIgnoreCase("chunked")) {
            return Optional.of(UNKNOWN_CODING);
        }
        String expectation = request.getHeader("Expect");
        if (expectation != null && !expectation.trim().equalsIgnoreCase("100-continue")) {
            return Optional.of(UNKNOWN_EXPECTATION);
        }
        if (request.uri().equals("*") && request.method().name().equals("OPTIONS")) {
            return Optional.of(SERVER_OPTIONS);
        }
        boolean hasPath = request.path() != null && request.path().startsWith("/");
        return hasPath ? Optional.empty() : Optional.of(NO_PATH);
    }
}
