package io.caravanserai.http;

import static java.util.concurrent.CompletableFuture.completedFuture;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.app.RawHttp;
import io.caravanserai.order.OrderJson;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class BoundedHttpServerIT {
    private static final Duration REQUEST_TIMEOUT = Duration.ofMillis(1_500);
    private static final Duration IDLE_TIMEOUT = Duration.ofMillis(2_500);
    private static final String HOST = " HTTP/1.1\r\nHost: localhost\r\n";

    private static final CompletableFuture<Response> LATER = new CompletableFuture<>();
    private static BoundedHttpServer server;
    private static HttpApi api;

    private final List<RawHttp> connections = new ArrayList<>();

    @BeforeAll
    static void start() {
        server = open();
        api = new HttpApi(new ApiKeys(List.of()), List.of(BoundedHttpServerIT::register));
        api.mount(server.router());
        server.router().get("/of-a-flow").handler(context -> context.end("flow"));
        server.router().get("/of-a-flow/:id").handler(context -> context.end("flow"));
        server.router()
                .post("/of-a-flow")
                .consumes("application/json")
                .produces("application/json")
                .handler(context -> context.end("flow"));
        server.router().get("/fails").handler(context -> context.fail(502));
        server.router().get("/throws").handler(context -> {
            throw new IllegalStateException("a secret");
        });
        server.serve();
    }

    private static BoundedHttpServer open() {
        return BoundedHttpServer.open("127.0.0.1", 0, REQUEST_TIMEOUT, IDLE_TIMEOUT);
    }

    private static void register(HttpRoutes routes) {
        routes.get("/now", Permission.OPEN, request -> completedFuture(Response.of(200, "text/plain", "now")));
        routes.post("/now", Permission.OPEN, request -> completedFuture(Response.json(201, request.body().length)))
                .consuming("application/json");
        routes.get("/now/{id}", Permission.OPEN, request -> completedFuture(Response.json(200, request.path("id"))));
        routes.get("/later", Permission.OPEN, request -> LATER);
        routes.get(
                "/large",
                Permission.OPEN,
                request -> completedFuture(Response.of(200, "text/plain", "x".repeat(64 << 20))));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void disconnect() throws IOException {
        for (RawHttp connection : connections) {
            connection.close();
        }
    }

    /** Requests that no HTTP client sends, with the expected responses. */
    static Stream<Arguments> oddRequests() {
        String json = HOST + "Content-Type: application/json\r\n";
        String bare = HOST + "\r\n";
        return Stream.of(
                arguments("GET /now HTTP/1.1\r\n\r\n", 400),
                arguments("GET /now HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
                arguments("GET /now HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
                arguments("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
                arguments("GET /now HTTP/x\r\n\r\n", 400),
                arguments("GET /now\r\n\r\n", 400),
                arguments("hello\r\n\r\n", 400),
                arguments("\u0016\u0003\u0001 hello\r\n\r\n", 400),
                arguments("GET /" + "x".repeat(10_000) + bare, 414),
                arguments("GET /now" + HOST + "X: " + "x".repeat(20_000) + "\r\n\r\n", 431),
                arguments("GET /now" + HOST + "no colon\r\n\r\n", 400),
                arguments("GET /now" + HOST + "a name: 1\r\n\r\n", 400),
                arguments("GET /now" + HOST + "X: a\u0000b\r\n\r\n", 400),
                arguments("POST /now" + json + "Content-Length: abc\r\n\r\n", 400),
                arguments("POST /now" + json + "Content-Length: -1\r\n\r\n", 400),
                arguments("POST /now" + json + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
                arguments("POST /now" + json + "Content-Length: 99999999999999999999\r\n\r\n{}", 400),
                arguments("POST /now" + json + "Content-Length: 2097152\r\n\r\n{}", 413),
                arguments("POST /now" + json + "Transfer-Encoding: gzip\r\n\r\n{}", 501),
                arguments("POST /now" + json + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
                arguments("POST /now" + json + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400),
                arguments("POST /now" + json + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx\r\n0\r\n\r\n", 400),
                arguments("POST /now" + json + "Expect: a miracle\r\nContent-Length: 2\r\n\r\n{}", 417),
                arguments("POST /now" + json + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 415),
                arguments("CONNECT localhost:1" + bare, 400),
                arguments("GET now" + bare, 400),
                arguments("GET ?x" + bare, 400),
                arguments("GET /now/%zz" + bare, 400),
                arguments("GET /now/%ff%fe" + bare, 400),
                arguments("GET /of-a-flow/%zz" + bare, 400),
                arguments("GET /nothing" + bare, 404),
                arguments("OPTIONS /nothing" + bare, 404),
                arguments("GET //now" + bare, 404),
                arguments("GET /./now" + bare, 404),
                arguments("GET /now/../now" + bare, 404),
                arguments("GET /now/%2e%2e/now" + bare, 404),
                arguments("GET /now%2f" + bare, 404),
                arguments("GET /now;a=b" + bare, 404),
                arguments("GET \\now" + bare, 400),
                arguments("TRACE /now" + bare, 405),
                arguments("BREW /now" + bare, 405),
                arguments("get /now" + bare, 405),
                arguments("DELETE /of-a-flow" + bare, 405),
                arguments("DELETE /of-a-flow/7" + bare, 405),
                arguments("POST /of-a-flow" + HOST + "Content-Type: text/plain\r\nContent-Length: 1\r\n\r\nx", 415),
                arguments("POST /of-a-flow" + json + "Accept: image/png\r\nContent-Length: 2\r\n\r\n{}", 406),
                arguments("GET /fails" + bare, 502),
                arguments("GET /throws" + bare, 500));
    }

    @ParameterizedTest
    @MethodSource("oddRequests")
    void anOddRequestIsAnsweredWithAProblem(String request, int status) throws Exception {
        RawHttp.Answer answer = connect().send(request).answer();
        assertThat(answer.status()).isEqualTo(status);
        assertThat(problem(answer).toString()).doesNotContain("Exception", "java", "a secret");
        if (status == 405) {
            assertThat(answer.header("Allow")).contains("GET");
        }
    }

    @Test
    void odditiesThatHttpAllowsAreServed() throws Exception {
        int port = server.getPort();
        assertThat(RawHttp.ask(port, "GET /now HTTP/1.0\r\n\r\n").body()).isEqualTo("now");
        assertThat(RawHttp.ask(port, "GET http://localhost/now" + HOST + "\r\n").body())
                .isEqualTo("now");
        assertThat(RawHttp.ask(port, "GET /now" + HOST + "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
                        .body())
                .isEqualTo("now");
        RawHttp.Answer options = RawHttp.ask(port, "OPTIONS *" + HOST + "\r\n");
        assertThat(options.status()).isEqualTo(204);
        assertThat(options.header("Allow")).contains("POST");
        RawHttp expecting = connect()
                .send("POST /now" + HOST
                        + "Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        assertThat(expecting.interim()).isEqualTo(100);
        assertThat(expecting.send("{}").answer().status()).isEqualTo(201);
        RawHttp head = connect().send("HEAD /now" + HOST + "\r\nHEAD /nothing" + HOST + "Connection: close\r\n\r\n");
        assertThat(head.all()).contains("200 OK", "404 Not Found").doesNotContain("{", "\r\n\r\nnow");
    }

    private RawHttp connect() throws IOException {
        RawHttp connection = new RawHttp(server.getPort());
        connections.add(connection);
        return connection;
    }

    private static JsonNode problem(RawHttp.Answer answer) throws IOException {
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
        JsonNode problem = OrderJson.MAPPER.readTree(answer.body());
        assertThat(problem.path("status").intValue()).isEqualTo(answer.status());
        assertThat(problem.path("title").textValue()).isNotBlank();
        assertThat(problem.path("detail").textValue()).isNotBlank();
        return problem;
    }

    @Test
    void everyRequestBeforeServingGets503WithRetryAfter() throws Exception {
        try (BoundedHttpServer early = open()) {
            for (String method : List.of("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")) {
                RawHttp.Answer answer = RawHttp.ask(early.getPort(), method + " /orders" + HOST + "\r\n");
                assertThat(answer.status()).isEqualTo(503);
                assertThat(answer.header("Retry-After")).isEqualTo("1");
                assertThat(problem(answer).path("detail").textValue()).isEqualTo("the hub is starting");
            }
            assertThat(RawHttp.ask(early.getPort(), "GET /observe/health/live" + HOST + "\r\n")
                            .status())
                    .isEqualTo(200);
            RawHttp.Answer ready = RawHttp.ask(early.getPort(), "GET /observe/health/ready" + HOST + "\r\n");
            assertThat(ready.status()).isEqualTo(503);
            assertThat(ready.body()).contains("\"status\":\"DOWN\"", "the hub is starting");
        }
    }

    @Test
    void everyRequestWhileStoppingGets503WithRetryAfter() throws Exception {
        try (BoundedHttpServer late = open()) {
            late.serve();
            late.stopAccepting();
            RawHttp.Answer answer = RawHttp.ask(late.getPort(), "GET /orders" + HOST + "\r\n");
            assertThat(answer.status()).isEqualTo(503);
            assertThat(answer.header("Retry-After")).isEqualTo("5");
            assertThat(problem(answer).path("detail").textValue()).isEqualTo("the hub is stopping");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "G",
                "GET /now HT",
                "GET /now HTTP/1.1\r\nHost: localhost\r\nX-Half:",
                "POST /now HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
                "POST /now HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n5\r\n{",
                "GET /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
            })
    void aRequestThatDoesNotComeToItsEndIsTimedOut(String half) throws Exception {
        RawHttp connection = connect().send(half);
        RawHttp.Answer answer = connection.answer();
        assertThat(answer.status()).isEqualTo(408);
        assertThat(answer.header("Connection")).isEqualTo("close");
        assertThat(problem(answer).path("detail").textValue()).contains("hub.http.request-timeout");
        await().until(connection::isClosedByServer);
        await().until(() -> api.inFlight() == 0);
    }

    @Test
    void drippingRequestTimesOut() throws Exception {
        RawHttp connection = connect().send("GET /now" + HOST);
        long began = System.nanoTime();
        await().pollInterval(Duration.ofMillis(100)).until(() -> {
            try {
                connection.send("X-Drip: x\r\n");
                return connection.isClosedByServer();
            } catch (IOException e) {
                return true;
            }
        });
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThanOrEqualTo(REQUEST_TIMEOUT);
    }

    @Test
    void idleConnectionIsClosedWithoutResponse() throws Exception {
        RawHttp fresh = connect();
        RawHttp used = connect().send("GET /now" + HOST + "\r\n");
        assertThat(used.answer().body()).isEqualTo("now");
        assertThat(used.isClosedByServer()).isFalse();
        assertThat(fresh.answer()).isNull();
        assertThat(used.answer()).isNull();
    }

    @Test
    void requestWaitingForResponseIsNotIdle() throws Exception {
        RawHttp waiting = connect().send("GET /later" + HOST + "\r\n");
        RawHttp idle = connect();
        await().until(idle::isClosedByServer);
        RawHttp second = connect();
        await().until(second::isClosedByServer);
        assertThat(waiting.isClosedByServer()).isFalse();
        LATER.complete(Response.of(200, "text/plain", "at last"));
        assertThat(waiting.answer().body()).isEqualTo("at last");
    }

    @Test
    void clientThatDoesNotReadResponseIsDisconnected() throws Exception {
        RawHttp connection = connect().send("GET /large" + HOST + "\r\n");
        await().until(() -> server.connections() > 0);
        await().until(() -> server.connections() == 0);
        assertThat(connection.isClosedByServer()).isTrue();
    }

    @Test
    void closingDoesNotWaitForClients() throws Exception {
        BoundedHttpServer other = BoundedHttpServer.open("127.0.0.1", 0, Duration.ofMinutes(5), Duration.ofMinutes(5));
        new HttpApi(new ApiKeys(List.of()), List.of(BoundedHttpServerIT::register)).mount(other.router());
        other.serve();
        try (RawHttp half = new RawHttp(other.getPort()).send("POST /now HTTP/1.1\r\n");
                RawHttp deaf = new RawHttp(other.getPort()).send("GET /large" + HOST + "\r\n");
                RawHttp idle = new RawHttp(other.getPort())) {
            await().until(() -> other.connections() == 3);
            long began = System.nanoTime();
            other.close();
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofMinutes(1));
            assertThat(half.isClosedByServer() && deaf.isClosedByServer() && idle.isClosedByServer())
                    .isTrue();
        }
    }
}
