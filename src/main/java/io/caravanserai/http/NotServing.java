package io.caravanserai.http;

import io.vertx.core.Handler;
import io.vertx.core.http.HttpServerRequest;
import java.util.List;
import java.util.Map;

/**
 * Answers every request while the hub starts or stops: 503, except for the two health calls with an answer of their
 * own.
 */
final class NotServing implements Handler<HttpServerRequest> {
    private final Response live = Response.json(200, Map.of("status", "UP", "checks", List.of()));
    private final Response notReady;
    private final Response problem;

    /** @param retryAfterSeconds delay before the next request of the client */
    NotServing(String reason, int retryAfterSeconds) {
        String retryAfter = String.valueOf(retryAfterSeconds);
        this.notReady = Response.json(503, new Health("DOWN", List.of(new Check("start", "DOWN", reason))))
                .with("Retry-After", retryAfter);
        this.problem = Problem.of(503, reason).response().with("Retry-After", retryAfter);
    }

    /** The same document as from the health endpoints of a serving hub. */
    private record Health(String status, List<Check> checks) {}

    private record Check(String name, String status, String detail) {}

    @Override
    public void handle(HttpServerRequest request) {
        // Closes the connection: a new connection detects sooner that the hub is back, or gone.
        Answers.write(request, answer(request).with("Connection", "close"));
    }

    private Response answer(HttpServerRequest request) {
        if (request.path() == null) {
            return problem;
        }
        return switch (request.path()) {
            case "/observe/health/live" -> live;
            case "/observe/health/ready", "/observe/health" -> notReady;
            default -> problem;
        };
    }
}
