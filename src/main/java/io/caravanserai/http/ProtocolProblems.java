package io.caravanserai.http;

import io.caravanserai.http.RequestDecoder.MalformedHeadException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Collectors;

/** Problem details for failures before a request reaches an endpoint, and for requests without an endpoint. */
final class ProtocolProblems {
    /** Details by status for a request that no route of the router answers. */
    private static final Map<Integer, String> ROUTER = Map.of(
            400, "the request cannot be read",
            404, "there is no such path",
            405, "the method is not allowed here",
            406, "no media type of the Accept header is available here",
            413, "the body is too large",
            415, "the body's media type is not taken here",
            500, "the hub failed; its log says more");

    private ProtocolProblems() {}

    /** Makes the router answer with problem details. */
    static void answerOn(Router router) {
        for (int status = 400; status < 600; status++) {
            Problem problem = Problem.of(
                    status, ROUTER.getOrDefault(status, "the request cannot be answered; the log says more"));
            router.errorHandler(status, context -> Answers.write(context.request(), answer(router, context, problem)));
        }
    }

    private static Response answer(Router router, RoutingContext context, Problem problem) {
        Response response = problem.response();
        return problem.status() == 405
                ? response.with("Allow", allowedMethods(router, context.normalizedPath()))
                : response;
    }

    private static String allowedMethods(Router router, String path) {
        return router.getRoutes().stream()
                .filter(route -> route.methods() != null && matches(route, path))
                .flatMap(route -> route.methods().stream())
                .map(HttpMethod::name)
                .distinct()
                .sorted()
                .collect(Collectors.joining(", "));
    }

    /** Matches the paths of routes by Camel: segments, parameters after a colon, and an asterisk at the end. */
    private static boolean matches(Route route, String path) {
        if (route.getPath() == null) {
            return false;
        }
        String[] wanted = route.getPath().split("/");
        String[] given = path.split("/");
        boolean isPrefix = !route.isExactPath() || route.getPath().endsWith("*");
        if (given.length < wanted.length || given.length > wanted.length && !isPrefix) {
            return false;
        }
        for (int i = 0; i < wanted.length; i++) {
            if (!wanted[i].startsWith(":") && !wanted[i].equals("*") && !wanted[i].equals(given[i])) {
                return false;
            }
        }
        return true;
    }

    /** Answers a request that is not HTTP and closes the connection: the start of the next request is unknown. */
    static void invalidRequest(HttpServerRequest request) {
        Throwable cause = request.decoderResult().cause();
        Answers.write(request, invalid(cause).response().with("Connection", "close"));
        request.connection().close();
    }

    private static Problem invalid(Throwable cause) {
        if (cause instanceof TooLongHttpLineException) {
            return Problem.of(414, "the request target is too long");
        }
        if (cause instanceof TooLongHttpHeaderException || cause instanceof TooLongFrameException) {
            return Problem.of(431, "the request headers are too long");
        }
        return Problem.of(
                400, cause instanceof MalformedHeadException ? cause.getMessage() : "the request is not HTTP");
    }

    /** Returns a complete response as bytes, for a connection on which the server cannot write a response any more. */
    static byte[] raw(int status, String detail) {
        Response response = Problem.of(status, detail).response();
        String title = Problem.of(status, detail).json().path("title").textValue();
        String head = "HTTP/1.1 " + status + " " + title + "\r\nContent-Type: " + Problem.MEDIA_TYPE
                + "\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Length: " + response.body().length
                + "\r\n\r\n";
        return (head + new String(response.body(), StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
    }
}
