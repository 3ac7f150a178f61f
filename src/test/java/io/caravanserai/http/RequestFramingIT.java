package io.caravanserai.http;

import static java.util.concurrent.CompletableFuture.completedFuture;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.app.RawHttp;
import io.caravanserai.app.RawHttp.Answer;
import io.caravanserai.order.OrderJson;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where a request ends and the next one begins, and what a client is told that sends what no HTTP library would. */
class RequestFramingIT {
    private static final String HOST = " HTTP/1.1\r\nHost: localhost\r\n";
    private static final String BARE = HOST + "\r\n";
    private static final String JSON = HOST + "Content-Type: application/json\r\n";
    private static final String EXPECT = "Expect: 100-continue\r\n";
    private static final String CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
    private static final String NOW = "GET /now" + BARE;

    private static final AtomicInteger POSTS = new AtomicInteger();
    private static volatile CompletableFuture<Response> later;
    private static BoundedHttpServer server;

    private final List<RawHttp> connections = new ArrayList<>();

    @BeforeAll
    static void start() {
        server = BoundedHttpServer.open("127.0.0.1", 0, Duration.ofMinutes(1), Duration.ofMinutes(1));
        new HttpApi(new ApiKeys(List.of()), List.of(RequestFramingIT::register)).mount(server.router());
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

    private static void register(HttpRoutes routes) {
        routes.get("/now", Permission.OPEN, request -> completedFuture(Response.of(200, "text/plain", "now")))
                .query("limit");
        routes.post("/now", Permission.OPEN, request -> {
                    POSTS.incrementAndGet();
                    return completedFuture(Response.json(201, request.body().length));
                })
                .consuming("application/json");
        routes.get("/now/{id}", Permission.OPEN, request -> completedFuture(Response.json(200, request.path("id"))));
        routes.get("/later", Permission.OPEN, request -> later = new CompletableFuture<>());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void disconnect() throws IOException {
        later = null;
        for (RawHttp connection : connections) {
            connection.close();
        }
    }

    private RawHttp connect() throws IOException {
        RawHttp connection = new RawHttp(server.getPort());
        connections.add(connection);
        return connection;
    }

    /** A request, the status of its answer, and whether another request may follow it on the connection. */
    private record Odd(String request, int status, boolean isOpen) {
        @Override
        public String toString() {
            String shown = request.replace("\r\n", " | ");
            return status + (isOpen ? ", open: " : ", closed: ") + shown.substring(0, Math.min(100, shown.length()));
        }
    }

    private static Odd open(int status, String request) {
        return new Odd(request, status, true);
    }

    private static Odd closed(int status, String request) {
        return new Odd(request, status, false);
    }

    private static Odd withHeader(String header) {
        return closed(400, "GET /now" + HOST + header + "\r\n\r\n");
    }

    private static Odd withLength(String headers) {
        return closed(400, "POST /now" + JSON + headers + "\r\n\r\n{}");
    }

    private static Odd withCoding(int status, String coding) {
        return closed(status, "POST /now" + JSON + "Transfer-Encoding: " + coding + "\r\n\r\n0\r\n\r\n");
    }

    private static Odd withChunks(String chunks) {
        return closed(400, "POST /now" + JSON + CHUNKED + chunks);
    }

    private static Odd withEncoding(int status, String headers) {
        return open(status, "POST /now" + JSON + "Content-Length: 2\r\n" + headers + "\r\n\r\n{}");
    }

    static Stream<Odd> requestLines() {
        return Stream.of(
                closed(505, "GET /now HTTP/2.0\r\nHost: localhost\r\n\r\n"),
                closed(505, "GET /now HTTP/1.2\r\nHost: localhost\r\n\r\n"),
                closed(505, "GET /now http/1.1\r\nHost: localhost\r\n\r\n"),
                closed(505, "GET /now HTTP/01.1\r\nHost: localhost\r\n\r\n"),
                closed(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                closed(400, "GET /now HTTP/x\r\n\r\n"),
                closed(400, "GET /now\r\n\r\n"),
                closed(400, "hello\r\n\r\n"),
                closed(400, "\u0016\u0003\u0001 hello\r\n\r\n"),
                closed(400, " " + NOW),
                closed(400, "GET /now HTTP/1.1\nHost: localhost\n\n"),
                closed(414, "GET /" + "x".repeat(10_000) + BARE),
                open(405, "TRACE /now" + BARE),
                open(405, "BREW /now" + BARE),
                open(405, "get /now" + BARE),
                open(405, "CONNECT /now" + BARE),
                open(405, "DELETE /of-a-flow" + BARE),
                open(405, "DELETE /of-a-flow/7" + BARE),
                open(404, "OPTIONS /nothing" + BARE));
    }

    static Stream<Odd> targets() {
        String[] unreadable = {
            "now",
            "?x",
            "*",
            "localhost:80",
            "\\now",
            "/now\\",
            "/now#part",
            "/now\u0001",
            "/now/%zz",
            "/now/%ff%fe",
            "/now?limit=%zz",
            "/now?limit=%",
            "/of-a-flow/%zz",
            "http:/now",
            "http://localhost",
            "http://other/now",
            "http://localhost:1/now",
            "http://user@localhost/now",
            "https://localhost/now",
            "ftp://localhost/now"
        };
        String[] unknown = {
            "/nothing", "//now", "/./now", "/now/../now", "/now/%2e%2e/now", "/now%2f", "/now;a=b", "/NOW", "/now/"
        };
        return Stream.of(
                        Stream.of(unreadable).map(target -> open(400, "GET " + target + BARE)),
                        Stream.of(unknown).map(target -> open(404, "GET " + target + BARE)),
                        Stream.of(open(400, "CONNECT localhost:80" + BARE)))
                .flatMap(each -> each);
    }

    static Stream<Odd> headers() {
        return Stream.of(
                open(400, "GET /now HTTP/1.1\r\n\r\n"),
                open(400, "GET /now HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"),
                closed(400, "GET /now HTTP/1.0\r\nHost: localhost\r\nHost: localhost\r\n\r\n"),
                open(400, "GET /now HTTP/1.1\r\nHost: local host\r\n\r\n"),
                open(400, "GET /now HTTP/1.1\r\nHost: localhost/x\r\n\r\n"),
                open(403, "GET /now HTTP/1.1\r\nHost: other.example\r\n\r\n"),
                closed(431, "GET /now" + HOST + "X: " + "x".repeat(20_000) + "\r\n\r\n"),
                closed(431, "GET /now" + HOST + "X: 1\r\n".repeat(5_000) + "\r\n"),
                withHeader("no colon"),
                withHeader(": no name"),
                withHeader(" : a name of space"),
                withHeader("a name: 1"),
                withHeader("X : 1"),
                withHeader("X\u0000Y: 1"),
                withHeader("(X): 1"),
                withHeader("\u00e9: 1"),
                withHeader("X: a\u0000b"),
                withHeader("X: a\u0001b"),
                withHeader("X: a\rb"),
                withHeader("X: a\nY: b"),
                withHeader("X: a\r\n b"),
                withHeader("X: a\r\n\tb"),
                withHeader("Transfer-Encoding:\r\n chunked"));
    }

    static Stream<Odd> bodies() {
        return Stream.of(
                withLength("Content-Length: abc"),
                withLength("Content-Length: -2"),
                withLength("Content-Length: +2"),
                withLength("Content-Length: 0x2"),
                withLength("Content-Length: 2 2"),
                withLength("Content-Length: 2, 2"),
                withLength("Content-Length: "),
                withLength("Content-Length: 99999999999999999999"),
                withLength("Content-Length: 2\r\nContent-Length: 2"),
                withLength("Content-Length: 2\r\nContent-Length: 3"),
                withLength("Content-Length: 2\r\nTransfer-Encoding: chunked"),
                withLength("Transfer-Encoding: chunked\r\nContent-Length: 2"),
                withCoding(501, "gzip"),
                withCoding(501, "gzip, chunked"),
                withCoding(501, "identity"),
                withCoding(501, "foo"),
                withCoding(501, "chunked, chunked"),
                withCoding(501, "\"chunked\""),
                withCoding(501, ""),
                withCoding(501, "chunked\r\nTransfer-Encoding: chunked"),
                withCoding(501, "gzip\r\nContent-Length: 5"),
                withCoding(400, "chunked, identity"),
                closed(400, "POST /now HTTP/1.0\r\n" + CHUNKED + "0\r\n\r\n"),
                withChunks("zz\r\n{}\r\n0\r\n\r\n"),
                withChunks("2\r\n{}xx\r\n0\r\n\r\n"),
                withChunks("-2\r\n{}\r\n0\r\n\r\n"),
                withChunks("0x2\r\n{}\r\n0\r\n\r\n"),
                withChunks("2\n{}\n0\n\n"),
                withChunks("2;a\nb\r\n{}\r\n0\r\n\r\n"),
                withChunks("FFFFFFFFFF\r\n{}\r\n0\r\n\r\n"),
                withChunks("2\r\n{}\r\n0\r\nno colon\r\n\r\n"),
                closed(413, "POST /now" + JSON + "Content-Length: 2097152\r\n\r\n{}"),
                closed(413, "POST /now" + JSON + CHUNKED + "200000\r\n" + "x".repeat(2 << 20) + "\r\n0\r\n\r\n"),
                withEncoding(415, "Content-Encoding: gzip"),
                withEncoding(415, "Content-Encoding: identity, gzip"),
                withEncoding(415, "Content-Encoding: identity\r\nContent-Encoding: gzip"),
                open(400, "POST /now" + JSON + "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"),
                open(415, "POST /of-a-flow" + HOST + "Content-Type: text/plain\r\nContent-Length: 1\r\n\r\nx"),
                open(406, "POST /of-a-flow" + JSON + "Accept: image/png\r\nContent-Length: 2\r\n\r\n{}"),
                open(502, "GET /fails" + BARE),
                open(500, "GET /throws" + BARE));
    }

    /** The client waits for permission to send its body, and may never send it: what comes next cannot be told. */
    static Stream<Odd> expectations() {
        String permission = EXPECT + "Content-Length: 20\r\n\r\n";
        return Stream.of(
                closed(413, "POST /now" + JSON + EXPECT + "Content-Length: 2097152\r\n\r\n"),
                closed(415, "POST /now" + HOST + permission),
                closed(415, "POST /now" + HOST + EXPECT + CHUNKED),
                closed(404, "POST /nothing" + JSON + permission),
                closed(405, "PATCH /now" + JSON + permission),
                closed(400, "POST /now?x=1" + JSON + permission),
                closed(403, "POST /now" + JSON + "Origin: http://other.example\r\n" + permission),
                closed(417, "POST /now" + JSON + "Expect: a miracle\r\nContent-Length: 20\r\n\r\n"),
                closed(417, "POST /now" + JSON + "Expect: a miracle\r\n" + permission),
                closed(417, "POST /now" + JSON + "Expect: 100-continue, x\r\nContent-Length: 20\r\n\r\n"),
                open(404, "GET /nothing" + HOST + EXPECT + "\r\n"));
    }

    @ParameterizedTest
    @MethodSource({"requestLines", "targets", "headers", "bodies", "expectations"})
    void anOddRequestIsAnsweredWithAProblemAndTheNextOneIsReadOnlyWhereItBegins(Odd odd) throws Exception {
        POSTS.set(0);
        RawHttp connection = connect().send(odd.request());
        Answer answer = connection.answer();
        assertThat(answer.status()).isEqualTo(odd.status());
        assertThat(problem(answer).toString()).doesNotContain("Exception", "java", "a secret");
        if (answer.status() == 405) {
            assertThat(answer.header("Allow")).contains("GET");
        }
        if (answer.status() == 415 && odd.request().contains("gzip")) {
            assertThat(answer.header("Accept-Encoding")).isEqualTo("identity");
        }
        if (odd.isOpen()) {
            assertThat(answer.header("Connection")).isEmpty();
            assertThat(connection.send(NOW).answer().body()).isEqualTo("now");
        } else {
            assertThat(answer.header("Connection")).isEqualTo("close");
            assertThat(connection.all()).isEmpty();
        }
        assertThat(POSTS).hasValue(0);
    }

    private static JsonNode problem(Answer answer) throws IOException {
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
        JsonNode problem = OrderJson.MAPPER.readTree(answer.body());
        assertThat(problem.path("status").intValue()).isEqualTo(answer.status());
        assertThat(problem.path("title").textValue()).isNotBlank();
        assertThat(problem.path("detail").textValue()).isNotBlank();
        return problem;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET http://localhost/now" + BARE,
                "GET HTTP://LOCALHOST/now" + BARE,
                "GET /%6eow" + BARE,
                "GET /now" + HOST + "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
                "GET /now" + HOST + "X: \u00e9\r\n\r\n",
                "GET /now" + HOST + EXPECT + "\r\n",
                "\r\n\r\nGET /now" + BARE,
                "GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
            })
    void odditiesThatHttpAllowsAreServed(String request) throws Exception {
        RawHttp connection = connect().send(request);
        assertThat(connection.answer().body()).isEqualTo("now");
        assertThat(connection.send(NOW).answer().body()).isEqualTo("now");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 2\r\n\r\n{}",
                "Content-Length: 2\r\nContent-Encoding: identity\r\n\r\n{}",
                "Transfer-Encoding: Chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nX-Trailer: 1\r\nContent-Length: 9\r\n\r\n"
            })
    void aBodyIsReadToItsEnd(String request) throws Exception {
        RawHttp connection = connect().send("POST /now" + JSON + request);
        assertThat(connection.answer().body()).isEqualTo("2");
        assertThat(connection.send(NOW).answer().body()).isEqualTo("now");
    }

    @ParameterizedTest
    @ValueSource(strings = {"OPTIONS *", "OPTIONS http://localhost"})
    void theServerTellsItsMethods(String request) throws Exception {
        Answer options = connect().send(request + BARE).answer();
        assertThat(options.status()).isEqualTo(204);
        assertThat(options.header("Allow")).contains("POST");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /now HTTP/1.0\r\n\r\n",
                "GET /now" + HOST + "Connection: close\r\n\r\n",
                "GET /now" + HOST + "Connection: x, Close\r\n\r\n"
            })
    void aConnectionEndsAfterTheRequestThatSaysSo(String request) throws Exception {
        RawHttp connection = connect().send(request + "POST /now" + JSON + "Content-Length: 2\r\n\r\n{}");
        Answer answer = connection.answer();
        assertThat(answer.body()).isEqualTo("now");
        assertThat(connection.all()).isEmpty();
        assertThat(POSTS).hasValue(0);
    }

    @Test
    void permissionToSendABodyIsGivenOnceToAClientOfHttp11() throws Exception {
        RawHttp expecting = connect().send("POST /now" + JSON + EXPECT + "Content-Length: 2\r\n\r\n");
        assertThat(expecting.interim()).isEqualTo(100);
        assertThat(expecting.send("{}").answer().status()).isEqualTo(201);
        assertThat(expecting.send(NOW).answer().body()).isEqualTo("now");

        String old = "POST /now HTTP/1.0\r\nContent-Type: application/json\r\n";
        assertThat(connect()
                        .send(old + EXPECT + "Content-Length: 2\r\n\r\n{}")
                        .answer()
                        .status())
                .isEqualTo(201);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST /now" + HOST + "Transfer-Encoding: gzip\r\n\r\n",
                "POST /now" + JSON + "Content-Length: 8388608\r\n\r\n",
                "POST /now" + JSON + EXPECT + "Content-Length: 8388608\r\n\r\n",
                "GET /now HTTP/9.9\r\n\r\n",
                "GET /now" + HOST + ": 1\r\n\r\n",
                "GET /now" + HOST + "X: ",
                "GET /now"
            })
    void aClientThatIsStillSendingReadsTheAnswer(String head) throws Exception {
        RawHttp connection = connect().send(head).send("x".repeat(8 << 20));
        assertThat(problem(connection.answer()).path("status").intValue()).isGreaterThanOrEqualTo(400);
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrderAlsoTheOneThatCannotBeRead() throws Exception {
        RawHttp connection = connect()
                .send("HEAD /now" + BARE + "HEAD /nothing" + BARE + "GET /later" + BARE + NOW + "hello\r\n\r\n" + NOW);
        await().until(() -> later != null);
        later.complete(Response.of(200, "text/plain", "at last"));
        String all = connection.all();
        assertThat(Pattern.compile("HTTP/1.[01] ([0-9]+)")
                        .matcher(all)
                        .results()
                        .map(status -> status.group(1)))
                .containsExactly("200", "404", "200", "200", "400");
        assertThat(all).containsSubsequence("at last", "now", "the request is not HTTP");
    }

    @Test
    void aRequestOfAnUnknownVersionDoesNotTakeAwayTheAnswerBeforeIt() throws Exception {
        RawHttp connection = connect().send("GET /later" + BARE + "GET /now HTTP/2.0\r\n\r\n");
        await().until(() -> later != null);
        later.complete(Response.of(200, "text/plain", "at last"));
        assertThat(connection.answer().body()).isEqualTo("at last");
        assertThat(connection.answer().status()).isEqualTo(505);
    }

    @Test
    void aHundredThousandPipelinedRequestsWaitForTheirTurn() throws Exception {
        RawHttp connection = connect().send("GET /later" + BARE);
        int many = 100_000;
        CompletableFuture<Void> sending = CompletableFuture.runAsync(() -> {
            try {
                connection.send(NOW.repeat(many));
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        await().until(() -> later != null);
        assertThat(connect().send(NOW).answer().body()).isEqualTo("now");
        later.complete(Response.of(200, "text/plain", "at last"));
        assertThat(connection.answer().body()).isEqualTo("at last");
        for (int i = 0; i < many; i++) {
            assertThat(connection.answer().body()).isEqualTo("now");
        }
        sending.join();
    }
}
