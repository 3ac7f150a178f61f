package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.caravanserai.app.TestHub.Answer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Flows that serve HTTP: edited without a gap, removed at once when deleted, and never hidden by the API of the hub.
 */
class FlowHttpIT {
    @TempDir
    static Path folder;

    private static Path routes;
    private static TestHub hub;

    @BeforeAll
    static void startHub() throws Exception {
        routes = Files.createDirectories(folder.resolve("routes"));
        hub = TestHub.start(folder.resolve("data"), Map.of("hub.routes.dir", routes.toString()));
    }

    @AfterAll
    static void stopHub() {
        hub.close();
    }

    private static Answer put(String flow, String text) {
        return hub.put("/flows/" + flow + ".camel.yaml", text, "Content-Type", "application/yaml");
    }

    private static Answer delete(String flow, String... headers) {
        return hub.send("DELETE", "/flows/" + flow + ".camel.yaml", null, headers)
                .join();
    }

    private static String platformHttp(String name, String answer) {
        return """
                - route:
                    id: NAME
                    from:
                      uri: platform-http:/NAME
                      steps:
                        - setBody:
                            constant: ANSWER
                """.replace("NAME", name).replace("ANSWER", answer);
    }

    private static String restRoute(String name, String answer) {
        return platformHttp(name, answer).replace("platform-http:/", "rest:get:");
    }

    private static String restBlock(String name, String answer) {
        return """
                - rest:
                    path: /NAME
                    get:
                      - to: direct:NAME
                - route:
                    id: NAME
                    from:
                      uri: direct:NAME
                      steps:
                        - setBody:
                            constant: ANSWER
                """.replace("NAME", name).replace("ANSWER", answer);
    }

    private static String besideATimer(String name, String answer) {
        return platformHttp(name, answer) + """
                - route:
                    id: NAME-tick
                    from:
                      uri: timer:NAME?period=100
                      steps:
                        - setBody:
                            constant: tick
                """.replace("NAME", name);
    }

    private static String text(String kind, String name, String answer) {
        return switch (kind) {
            case "platform-http" -> platformHttp(name, answer);
            case "rest-route" -> restRoute(name, answer);
            case "rest-block" -> restBlock(name, answer);
            default -> besideATimer(name, answer);
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"platform-http", "rest-route", "rest-block", "beside-a-timer"})
    void httpFlowIsEditedRepeatedlyWithoutGapAndIsGoneAtOnceWhenDeleted(String kind) {
        assertThat(put(kind, text(kind, kind, "answer-0")).status()).isEqualTo(201);
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger requests = new AtomicInteger();
        CompletableFuture<Void> customer = CompletableFuture.runAsync(() -> {
            while (!done.get()) {
                assertThat(hub.get("/" + kind).status()).isEqualTo(200);
                requests.incrementAndGet();
            }
        });

        for (int edit = 1; edit <= 4; edit++) {
            assertThat(put(kind, text(kind, kind, "answer-" + edit)).status()).isEqualTo(200);
            assertThat(hub.get("/" + kind).body()).isEqualTo("answer-" + edit);
        }

        done.set(true);
        customer.join();
        assertThat(requests).hasPositiveValue();
        assertThat(delete(kind).status()).isEqualTo(204);
        Answer gone = hub.get("/" + kind);
        assertThat(gone.status()).isEqualTo(404);
        assertThat(gone.header("Content-Type")).startsWith("application/problem+json");
        assertThat(routes.resolve(kind + ".camel.yaml")).doesNotExist();
        assertThat(put(kind, text(kind, kind, "back")).status()).isEqualTo(201);
        assertThat(hub.get("/" + kind).body()).isEqualTo("back");
    }

    @Test
    void requestInFlowEndsInVersionWhereItBegan() {
        String slow = platformHttp("slow", "one") + """
                        - delay:
                            constant: 1500
                        - transform:
                            simple: ${body} ended
                """;
        put("slow", slow.replace("                - ", "        - "));
        CompletableFuture<Answer> begun = hub.send("GET", "/slow", null);
        await().until(() -> hub.get("/flows").body().contains("\"inFlight\":1"));

        put("slow", platformHttp("slow", "two"));

        assertThat(hub.get("/slow").body()).isEqualTo("two");
        assertThat(begun.join().body()).isEqualTo("one ended");
    }

    @Test
    void changedOrDeletedFileTakesEffectWithinTwoSeconds() throws Exception {
        Path file = routes.resolve("edited.camel.yaml");
        for (String answer : List.of("one", "two")) {
            Files.writeString(file, restBlock("edited", answer));
            await().atMost(Duration.ofSeconds(5))
                    .until(() -> hub.get("/edited").body().equals(answer));
        }

        Files.delete(file);

        await().atMost(Duration.ofSeconds(5)).until(() -> hub.get("/edited").status() == 404);
    }

    @ParameterizedTest
    @CsvSource({
        "/orders, /orders",
        "/orders/{id}, /orders/{id}",
        "/orders/special, /orders/{id}",
        "/flows/, /flows",
        "/observe/health, /observe/health",
        "/dead-letters/{a}/replay, /dead-letters/{id}/replay",
        "/openapi.json, /openapi.json"
    })
    void aPathOfTheHubsOwnApiIsRefused(String path, String own) {
        String route = platformHttp("own", "never").replace("platform-http:/own", "platform-http:" + path);
        String rest = restBlock("own", "never").replace("path: /own", "path: " + path);

        for (String text : List.of(route, rest)) {
            Answer refused = put("own", text);
            assertThat(refused.status()).isEqualTo(422);
            assertThat(refused.json().at("/errors/0/message").asText()).contains("own API answers at '" + own + "'");
        }
        assertThat(routes.resolve("own.camel.yaml")).doesNotExist();
        assertThat(hub.get("/flows/own.camel.yaml").status()).isEqualTo(404);
    }

    @Test
    void twoFlowsMayShareOnePathOnlyWithDifferentMethods() {
        put("first", platformHttp("shared", "get").replace("/shared\n", "/shared?httpMethodRestrict=GET\n"));
        String second = platformHttp("second", "other").replace("/second\n", "/shared\n");

        Answer refused = put("second", second);

        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.json().at("/errors/0/message").asText())
                .contains("'/shared' is served by first.camel.yaml already");
        assertThat(put("second", second.replace("/shared\n", "/shared?httpMethodRestrict=POST\n"))
                        .status())
                .isEqualTo(201);
        assertThat(hub.send("POST", "/shared", null).join().body()).isEqualTo("other");
        assertThat(put("third", second.replace("/shared", "/a/{x}") + second.replace("/shared", "/a/{y}"))
                        .json()
                        .at("/errors/0/message")
                        .asText())
                .isNotEmpty();
    }

    @Test
    void refusalAtRouteStartLeavesFolderVersionsAndBeansUnchanged() throws Exception {
        String sound = """
                - beans:
                    - name: greeting
                      type: java.lang.String
                      constructors:
                        "0": one
                - route:
                    id: kept
                    from:
                      uri: platform-http:/kept
                      steps:
                        - setBody:
                            simple: ${bean:greeting?method=toString}
                """;
        Answer before = put("kept", sound);
        assertThat(before.status()).as(before.body()).isEqualTo(201);
        String failing = sound.replace("one", "two")
                + """
                - route:
                    id: kept-files
                    from:
                      uri: file:MISSING?autoCreate=false&startingDirectoryMustExist=true
                      steps:
                        - log: never
                """.replace("MISSING", folder.resolve("missing").toString());

        Answer refused = put("kept", failing);
        Answer neverThere = put("never", failing.replace("kept", "never"));

        assertThat(refused.status()).isEqualTo(422);
        assertThat(neverThere.status()).isEqualTo(422);
        assertThat(routes.resolve("kept.camel.yaml")).hasContent(sound);
        assertThat(routes.resolve("never.camel.yaml")).doesNotExist();
        assertThat(hub.get("/flows/kept.camel.yaml/versions").json().at("/items"))
                .hasSize(1);
        assertThat(hub.get("/flows/never.camel.yaml/versions").status()).isEqualTo(404);
        assertThat(hub.get("/kept").body()).isEqualTo("one");
        assertThat(hub.get("/never").status()).isEqualTo(404);
    }

    @Test
    void flowIsDeletedOnlyWithoutCallersAndConcurrentChange() {
        put("needed", restBlock("needed", "here"));
        put("caller", platformHttp("caller", "x").replace("setBody:", "to: direct:needed\n        - setBody:"));

        Answer refused = delete("needed");
        Answer stale = delete("caller", "If-Match", "\"another\"");

        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.json().at("/errors/0/message").asText())
                .isEqualTo("caller.camel.yaml calls 'direct:needed' of this flow: delete or change that first");
        assertThat(routes.resolve("needed.camel.yaml")).exists();
        assertThat(stale.status()).isEqualTo(412);
        String tag = hub.get("/flows/caller.camel.yaml").header("ETag");
        assertThat(delete("caller", "If-Match", tag).status()).isEqualTo(204);
        assertThat(delete("caller").status()).isEqualTo(404);
        assertThat(delete("needed").status()).isEqualTo(204);
    }

    /** More requests than the worker pool of the HTTP server has threads, all of them in the route at once. */
    @Test
    void requestsThatWaitInARouteHoldUpNoOtherRequest() throws Exception {
        int requests = 60;
        byte[] answer = "long ".repeat(40_000).getBytes(StandardCharsets.US_ASCII);
        CountDownLatch arrived = new CountDownLatch(requests);
        HttpServer slow = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        ExecutorService threads = Executors.newCachedThreadPool();
        slow.setExecutor(threads);
        slow.createContext("/", exchange -> {
            arrived.countDown();
            try {
                exchange.sendResponseHeaders(arrived.await(1, TimeUnit.MINUTES) ? 200 : 500, answer.length);
                exchange.getResponseBody().write(answer);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            exchange.close();
        });
        slow.start();
        try {
            String called =
                    "http://127.0.0.1:" + slow.getAddress().getPort() + "/?bridgeEndpoint=true&connectionsPerRoute=100";
            assertThat(put("waits", """
                            - route:
                                id: waits
                                from:
                                  uri: platform-http:/waits
                                  steps:
                                    - to: %s
                            """.formatted(called)).status()).isEqualTo(201);

            List<CompletableFuture<Answer>> answers = Stream.generate(() -> hub.send("GET", "/waits", null))
                    .limit(requests)
                    .toList();

            assertThat(answers).allSatisfy(each -> {
                assertThat(each.get(3, TimeUnit.MINUTES).status()).isEqualTo(200);
                assertThat(each.join().body()).hasSize(200_000);
            });
        } finally {
            slow.stop(0);
            threads.shutdownNow();
        }
    }

    @Test
    void conditionalGetOfCurrentTextGets304() {
        put("tagged", platformHttp("tagged", "one"));
        String tag = hub.get("/flows/tagged.camel.yaml").header("ETag");

        Answer known = hub.get("/flows/tagged.camel.yaml", "If-None-Match", "\"other\", W/" + tag);

        assertThat(known.status()).isEqualTo(304);
        assertThat(known.body()).isEmpty();
        assertThat(known.header("ETag")).isEqualTo(tag);
        put("tagged", platformHttp("tagged", "two"));
        assertThat(hub.get("/flows/tagged.camel.yaml", "If-None-Match", tag).status())
                .isEqualTo(200);
    }
}
