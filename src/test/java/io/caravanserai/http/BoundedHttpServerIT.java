package io.caravanserai.http;

import static java.util.concurrent.CompletableFuture.completedFuture;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.app.RawHttp;
import io.caravanserai.order.OrderJson;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
        server.serve();
    }

    private static BoundedHttpServer open() {
        return BoundedHttpServer.open("127.0.0.1", 0, REQUEST_TIMEOUT, IDLE_TIMEOUT);
    }

    private static void register(HttpRoutes routes) {
        routes.get("/now", Permission.OPEN, request -> completedFuture(Response.of(200, "text/plain", "now")));
        routes.post("/now", Permission.OPEN, request -> completedFuture(Response.json(201, request.body().length)))
                .consuming("application/json");
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
