package io.caravanserai.http;

import static java.util.concurrent.CompletableFuture.completedFuture;
import static java.util.concurrent.CompletableFuture.failedFuture;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.config.HubSettings.ApiKey;
import io.caravanserai.config.HubSettings.Role;
import io.caravanserai.order.OrderJson;
import io.caravanserai.store.StoreUnavailableException;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import java.io.ByteArrayInputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpApiIT {
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private Vertx vertx;
    private HttpServer open;
    private HttpServer guarded;

    record Parcel(String name, int weight) {}

    @BeforeEach
    void start() throws Exception {
        vertx = Vertx.vertx();
        open = serve(List.of());
        guarded = serve(List.of(
                new ApiKey("s", Role.SENDER, sha256("sender-key")),
                new ApiKey("reader", Role.VIEWER, sha256("viewer-key")),
                new ApiKey("o", Role.OPERATOR, sha256("operator-key"))));
    }

    @AfterEach
    void stop() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get();
    }

    private HttpServer serve(List<ApiKey> keys) throws Exception {
        Router router = Router.router(vertx);
        new HttpApi(new ApiKeys(keys), List.of(HttpApiIT::register)).mount(router);
        router.get("/of-a-flow").handler(context -> context.response().end("from a flow"));
        return vertx.createHttpServer()
                .requestHandler(router)
                .listen(0, "127.0.0.1")
                .toCompletionStage()
                .toCompletableFuture()
                .get();
    }

    private static void register(HttpRoutes routes) {
        routes.get("/open", Permission.OPEN, request -> completedFuture(Response.of(200, "text/plain", "open")));
        routes.get(
                        "/parcels/{id}",
                        Permission.READ,
                        request -> completedFuture(Response.json(
                                200,
                                Map.of("id", request.path("id"), "limit", request.limit(), "by", request.caller()))))
                .query("limit");
        routes.get("/orders/{id}", Permission.READ_ORDERS, request -> completedFuture(Response.noContent()));
        routes.post(
                        "/orders",
                        Permission.SEND_ORDERS,
                        request -> completedFuture(Response.json(200, request.body().length)))
                .consuming("application/json");
        routes.put(
                        "/parcels/{id}",
                        Permission.OPERATE,
                        request -> completedFuture(Response.json(200, request.json(Parcel.class))))
                .consuming("application/json");
        routes.post("/parcels/{id}/open", Permission.OPERATE, request -> completedFuture(Response.noContent()))
                .consumingOptionally("application/json");
        routes.get("/broken", Permission.READ, request -> failedFuture(new IllegalStateException("a secret")));
        routes.get(
                "/down",
                Permission.READ,
                request -> failedFuture(new StoreUnavailableException("the disk is full", null)));
    }

    @Test
    void endpointReceivesDecodedPath() throws Exception {
        HttpResponse<String> answer = send(open, "GET", "/parcels/a%2Fb+c%20d?limit=7", null, null);

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(json(answer)).isEqualTo(OrderJson.MAPPER.readTree("""
                {"id": "a/b+c d", "limit": 7, "by": "anonymous"}"""));
    }

    @Test
    void headIsGetWithoutBody() throws Exception {
        HttpResponse<String> answer = send(open, "HEAD", "/open", null, null);

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("Content-Length")).contains("4");
        assertThat(answer.body()).isEmpty();
    }

    @Test
    void aRouteOfAFlowOnTheSameServerIsReached() throws Exception {
        assertThat(send(open, "GET", "/of-a-flow", null, null).body()).isEqualTo("from a flow");
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", textBlock = """
            GET    | /nothing              | -                                | -           | 404
            GET    | /parcels/             | -                                | -           | 404
            GET    | /parcels/1?limit=0    | -                                | -           | 400
            GET    | /parcels/1?limit=201  | -                                | -           | 400
            GET    | /parcels/1?limit=two  | -                                | -           | 400
            GET    | /parcels/1?limti=1   | -                                | -           | 400
            GET    | /parcels/1?limit=1&limit=2 | -                           | -           | 400
            DELETE | /parcels/1            | -                                | -           | 405
            POST   | /orders               | -                                | {}          | 415
            POST   | /orders               | text/plain                       | {}          | 415
            POST   | /orders               | application/json; charset=latin1 | {}          | 415
            PUT    | /parcels/1            | application/json                 | {           | 400
            PUT    | /parcels/1            | application/json                 | ''          | 400
            PUT    | /parcels/1            | application/json                 | {"a":1,"a":2} | 400
            PUT    | /parcels/1            | application/json                 | null        | 422
            PUT    | /parcels/1            | application/json                 | []          | 422
            PUT    | /parcels/1            | application/json                 | {"wait":1}  | 422
            POST   | /parcels/1/open       | text/plain                       | x           | 415
            GET    | /broken               | -                                | -           | 500
            GET    | /down                 | -                                | -           | 503
            """, delimiter = '|')
    void whatCannotBeAnsweredIsAProblem(String method, String path, String type, String body, int status)
            throws Exception {
        HttpResponse<String> answer = send(open, method, path, type, body);

        assertThat(answer.statusCode()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
        assertThat(json(answer).path("status").intValue()).isEqualTo(status);
        assertThat(json(answer).path("title").textValue()).isNotBlank();
        assertThat(answer.body()).doesNotContain("secret");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/parcels/%zz", "/parcels/1?limit=%zz", "/parcels/%c3%28?x=%"})
    void invalidEncodingIsBadRequest(String target) throws Exception {
        assertThat(rawStatus(open, target, "127.0.0.1")).isEqualTo(400);
    }

    @Test
    void methodNotAllowedListsAllowedMethods() throws Exception {
        HttpResponse<String> answer = send(open, "DELETE", "/parcels/1", null, null);

        assertThat(answer.headers().firstValue("Allow")).contains("GET, PUT, HEAD, OPTIONS");
        assertThat(send(open, "OPTIONS", "/parcels/1", null, null).headers().firstValue("Allow"))
                .contains("GET, PUT, HEAD, OPTIONS");
    }

    @Test
    void aWrongMemberIsPointedAt() throws Exception {
        HttpResponse<String> answer =
                send(open, "PUT", "/parcels/1", "application/json", "{\"name\": \"x\", \"weight\": \"heavy\"}");

        assertThat(answer.statusCode()).isEqualTo(422);
        assertThat(json(answer).at("/errors/0/pointer").textValue()).isEqualTo("#/weight");
    }

    @Test
    void aBodyOfOneMebibyteIsTakenAndOneByteMoreIsNot() throws Exception {
        String most = "x".repeat(1024 * 1024);

        assertThat(send(open, "POST", "/orders", "application/json", most).statusCode())
                .isEqualTo(200);
        assertThat(send(open, "POST", "/orders", "application/json", most + "x").statusCode())
                .isEqualTo(413);
    }

    @Test
    void aChunkedBodyIsLimitedToo() throws Exception {
        HttpRequest request = request(open, "/orders")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(new byte[3 * 1024 * 1024])))
                .build();

        assertThat(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode())
                .isEqualTo(413);
    }

    @Test
    void permissionToGoOnIsGivenWhenAskedFor() throws Exception {
        HttpRequest request = request(open, "/orders")
                .header("Content-Type", "application/json")
                .expectContinue(true)
                .POST(BodyPublishers.ofString("{}"))
                .build();

        assertThat(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", textBlock = """
            GET  | /open        | -            | 200
            GET  | /open        | wrong        | 200
            GET  | /nothing     | -            | 401
            GET  | /nothing     | viewer-key   | 404
            GET  | /of-a-flow   | -            | 401
            GET  | /of-a-flow   | viewer-key   | 200
            GET  | /parcels/1   | -            | 401
            GET  | /parcels/1   | wrong        | 401
            GET  | /parcels/1   | viewer-key   | 200
            GET  | /parcels/1   | sender-key   | 403
            GET  | /parcels/1   | operator-key | 200
            GET  | /orders/1    | viewer-key   | 204
            GET  | /orders/1    | sender-key   | 204
            POST | /orders      | viewer-key   | 403
            POST | /orders      | sender-key   | 200
            POST | /orders      | operator-key | 200
            POST | /parcels/1/open | viewer-key | 403
            POST | /parcels/1/open | sender-key | 403
            POST | /parcels/1/open | operator-key | 204
            """, delimiter = '|')
    void rolesMayDoWhatTheyMay(String method, String path, String key, int status) throws Exception {
        for (String header : List.of("Authorization", "X-API-Key")) {
            HttpRequest.Builder request = request(guarded, path)
                    .method(method, method.equals("POST") ? BodyPublishers.ofString("{}") : BodyPublishers.noBody())
                    .header("Content-Type", "application/json");
            if (key != null) {
                request.header(header, header.equals("Authorization") ? "Bearer " + key : key);
            }
            HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());

            assertThat(answer.statusCode()).isEqualTo(status);
            if (status == 401) {
                assertThat(answer.headers().firstValue("WWW-Authenticate"))
                        .hasValueSatisfying(challenge -> assertThat(challenge).startsWith("Bearer realm="));
            }
        }
    }

    @Test
    void pageOfOtherOriginMayNotChangeAnythingWithoutKeys() throws Exception {
        HttpRequest request = request(open, "/parcels/1/open")
                .POST(BodyPublishers.noBody())
                .header("Origin", "http://evil.example")
                .build();

        assertThat(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode())
                .isEqualTo(403);
    }

    @Test
    void foreignHostNameIsRefusedWithoutKeys() throws Exception {
        assertThat(rawStatus(open, "/open", "rebound.example")).isEqualTo(403);
        assertThat(rawStatus(open, "/open", "localhost:1")).isEqualTo(200);
        assertThat(rawStatus(open, "/open", "[::1]:1")).isEqualTo(200);
    }

    /** Returns the status of a GET that Java's HTTP client would refuse to send. */
    private static int rawStatus(HttpServer server, String target, String host) throws Exception {
        try (Socket socket = new Socket("127.0.0.1", server.actualPort())) {
            String request = "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return Integer.parseInt(answer.split(" ")[1]);
        }
    }

    private static String sha256(String key) throws Exception {
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(hash);
    }

    private HttpResponse<String> send(HttpServer server, String method, String path, String type, String body)
            throws Exception {
        HttpRequest.Builder request = request(server, path)
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (type != null) {
            request.header("Content-Type", type);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpRequest.Builder request(HttpServer server, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.actualPort() + path));
    }

    private static JsonNode json(HttpResponse<String> answer) throws Exception {
        return OrderJson.MAPPER.readTree(answer.body());
    }
}
