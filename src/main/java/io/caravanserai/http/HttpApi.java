package io.caravanserai.http;

import io.caravanserai.store.StoreUnavailableException;
import io.vertx.core.Context;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP API of the hub on a Vert.x router. A request without an endpoint in the table goes on to the routes of flows
 * on the same router, after the check of the permission.
 */
public final class HttpApi {
    private static final Logger LOG = LoggerFactory.getLogger(HttpApi.class);

    private final HttpRoutes routes = new HttpRoutes();
    private final AuthFilter doorKeeper;
    private final AtomicInteger inFlight = new AtomicInteger();

    public HttpApi(ApiKeys keys, List<HttpEndpoints> rooms) {
        this.doorKeeper = new AuthFilter(keys);
        rooms.forEach(room -> room.register(routes));
    }

    /** Returns all endpoints. */
    public List<Endpoint> table() {
        return routes.table();
    }

    /** Mounts the API before all other routes of the router, and the problem details after all other routes. */
    public void mount(Router router) {
        ProtocolProblems.answerOn(router);
        router.route().order(-1_000).handler(this::handle);
    }

    /** Number of requests without a response; streams are not counted. */
    public int inFlight() {
        return inFlight.get();
    }

    private void handle(RoutingContext context) {
        try {
            dispatch(context);
        } catch (Exception | StackOverflowError e) {
            write(context, failure(context, e));
        }
    }

    private void dispatch(RoutingContext context) throws Exception {
        HttpServerRequest http = context.request();
        String method = http.method().name();
        Optional<HttpRoutes.Match> match = find(http);
        if (match.isEmpty()) {
            doorKeeper.admit(AuthFilter.accessOfOthers(method), method, http.headers());
            context.next();
            return;
        }
        Optional<Endpoint> found = match.get().endpoint(method);
        if (found.isEmpty()) {
            write(context, methodNotAllowed(method, match.get().allow()));
            return;
        }
        Endpoint endpoint = found.get();
        String caller = doorKeeper.admit(endpoint.access(), method, http.headers());
        QueryParameters.check(http.query(), endpoint.queryParameters());
        Map<String, String> parameters = match.get().parameters(endpoint);
        if (endpoint.raw() != null) {
            context.pathParams().putAll(parameters);
            endpoint.raw().handle(context);
            return;
        }
        checkMediaType(endpoint, http);
        inFlight.incrementAndGet();
        context.addEndHandler(end -> inFlight.decrementAndGet());
        Body.read(
                http,
                body -> answer(context, endpoint, parameters, body, caller),
                () -> write(
                        context,
                        Problem.of(413, "a body of more than 1 MiB is not taken")
                                .response()));
    }

    private Optional<HttpRoutes.Match> find(HttpServerRequest http) {
        String path = http.path();
        try {
            return routes.find(path);
        } catch (IllegalArgumentException e) {
            throw Problem.of(400, "the path is not encoded rightly: " + e.getMessage())
                    .asException();
        }
    }

    private static Response methodNotAllowed(String method, String allow) {
        if (method.equals("OPTIONS")) {
            return Response.noContent().with("Allow", allow);
        }
        return Problem.of(405, "the method is not one of " + allow).response().with("Allow", allow);
    }

    private static void checkMediaType(Endpoint endpoint, HttpServerRequest http) {
        if (endpoint.mediaTypes().isEmpty()) {
            return;
        }
        List<String> all = http.headers().getAll("Content-Type");
        if (all.size() > 1) {
            throw Problem.of(400, "Content-Type is given more than once").asException();
        }
        String given = all.isEmpty() ? null : all.get(0);
        boolean hasBody = http.getHeader("Transfer-Encoding") != null
                || !Optional.ofNullable(http.getHeader("Content-Length"))
                        .orElse("0")
                        .equals("0");
        if (given == null && !hasBody && !endpoint.bodyRequired()) {
            return;
        }
        if (given == null || !MediaType.isOneOf(endpoint.mediaTypes(), given)) {
            String wanted = String.join(", ", endpoint.mediaTypes());
            throw new ProblemException(Problem.of(415, "the body must be " + wanted + " in UTF-8"), "Accept", wanted);
        }
        List<String> codings = HeaderList.elements(http.headers().getAll("Content-Encoding"));
        if (!codings.stream().allMatch("identity"::equalsIgnoreCase)) {
            throw new ProblemException(
                    Problem.of(415, "the body must not be compressed"), "Accept-Encoding", "identity");
        }
    }

    private void answer(
            RoutingContext context, Endpoint endpoint, Map<String, String> parameters, byte[] body, String caller) {
        // Futures complete on other threads; the response must be written on the thread of the connection.
        Context connection = context.vertx().getOrCreateContext();
        try {
            HttpServerRequest http = context.request();
            Request request = new Request(http.query(), parameters, http.headers(), body, caller);
            endpoint.handler().handle(request).whenComplete((response, failure) -> {
                Response answer = failure == null ? response : failure(context, failure);
                connection.runOnContext(now -> write(context, answer));
            });
        } catch (Exception | StackOverflowError e) {
            write(context, failure(context, e));
        }
    }

    private static Response failure(RoutingContext context, Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof ProblemException problem) {
            return problem.response();
        }
        if (cause instanceof StoreUnavailableException) {
            return Problem.of(503, cause.getMessage()).response().with("Retry-After", "1");
        }
        LOG.atError()
                .addKeyValue("method", context.request().method())
                .addKeyValue("path", context.request().path())
                .setCause(cause)
                .log("a request failed");
        return Problem.of(500, "the hub failed; its log says more").response();
    }

    private static void write(RoutingContext context, Response response) {
        Answers.write(context.request(), response);
    }
}
