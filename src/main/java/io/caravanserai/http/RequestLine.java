package io.caravanserai.http;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Requirements of RFC 9110 and RFC 9112 for every request, independent of the path. */
final class RequestLine {
    private static final Pattern ABSOLUTE =
            Pattern.compile("(?<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?<authority>[^/?]*)(?<path>.*)");

    private static final Response ONE_HOST =
            Problem.of(400, "the request must have one Host header").response();
    private static final Response NO_PATH =
            Problem.of(400, "the request target is no path").response();
    private static final Response ODD_CHARACTER = Problem.of(
                    400, "the request target has a character that must be percent-encoded")
            .response();
    private static final Response OTHER_AUTHORITY = Problem.of(
                    400, "the request target must be a path, or an http address with the authority of the Host header")
            .response();
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
        int hosts = request.headers().getAll("Host").size();
        if (hosts > 1 || hosts == 0 && request.version() == HttpVersion.HTTP_1_1) {
            return Optional.of(ONE_HOST);
        }
        List<String> codings = request.headers().getAll("Transfer-Encoding");
        if (codings.size() > 1 || !codings.isEmpty() && !codings.get(0).trim().equalsIgnoreCase("chunked")) {
            return Optional.of(UNKNOWN_CODING);
        }
        if (!expectations(request).stream().allMatch("100-continue"::equalsIgnoreCase)) {
            return Optional.of(UNKNOWN_EXPECTATION);
        }
        return target(request);
    }

    private static Optional<Response> target(HttpServerRequest request) {
        String target = request.uri();
        boolean isOptions = request.method().name().equals("OPTIONS");
        if (target.equals("*") && isOptions) {
            return Optional.of(SERVER_OPTIONS);
        }
        if (!target.chars().allMatch(RequestLine::isAllowed)) {
            return Optional.of(ODD_CHARACTER);
        }
        if (target.startsWith("/")) {
            return Optional.empty();
        }
        Matcher absolute = ABSOLUTE.matcher(target);
        if (!absolute.matches()) {
            return Optional.of(NO_PATH);
        }
        boolean isOwn = absolute.group("scheme").equalsIgnoreCase(request.scheme())
                && absolute.group("authority").equalsIgnoreCase(request.getHeader("Host"));
        if (!isOwn) {
            return Optional.of(OTHER_AUTHORITY);
        }
        String path = absolute.group("path");
        if (path.isEmpty() && isOptions) {
            return Optional.of(SERVER_OPTIONS);
        }
        return path.startsWith("/") ? Optional.empty() : Optional.of(NO_PATH);
    }

    /** Bytes above ASCII are checked where the path is decoded. */
    private static boolean isAllowed(int character) {
        return character > ' ' && character != 0x7f && character != '#' && character != '\\';
    }

    /** Whether the client may send its body only when it is told so. */
    static boolean expectsPermission(HttpServerRequest request) {
        String length = request.getHeader("Content-Length");
        boolean hasBody =
                request.getHeader("Transfer-Encoding") != null || length != null && Long.parseLong(length) > 0;
        return hasBody && !expectations(request).isEmpty();
    }

    /** RFC 9110, section 10.1.1, has a server ignore those of HTTP/1.0. */
    private static List<String> expectations(HttpServerRequest request) {
        return request.version() == HttpVersion.HTTP_1_1
                ? HeaderList.elements(request.headers().getAll("Expect"))
                : List.of();
    }
}
