package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Options of sagas in flows: nested sagas, timeouts, and sagas without an order. */
class FlowSagasIT {
    private static final Path SHIPPED = Path.of("src/main/resources/routes");

    @TempDir
    private Path folder;

    private Path routes;
    private TestHub hub;

    @BeforeEach
    void start() throws Exception {
        routes = Files.createDirectory(folder.resolve("routes"));
        for (String flow : List.of("order-request-reply", "order-pubsub")) {
            Files.copy(SHIPPED.resolve(flow + ".camel.yaml"), routes.resolve(flow + ".camel.yaml"));
        }
        open();
        hub.put("/stock/BELL", "{\"onHand\": 1000}");
    }

    private void open() throws Exception {
        hub = TestHub.start(
                folder.resolve("data"), Map.of("hub.routes.dir", routes.toString(), "hub.saga.timeout", "4s"));
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    @Test
    void nestedSagaEndsIndependentlyOfOrderSaga() throws IOException {
        put(
                "order-request-reply",
                withTimeout("order-request-reply", "1h").replace("- to: direct:request-reply-reserve\n", """
                        - doTry:
                                          steps:
                                            - to: direct:request-reply-points
                                          doCatch:
                                            - exception:
                                                - java.lang.IllegalStateException
                                              steps:
                                                - setProperty:
                                                    name: points
                                                    constant: none
                                      - to: direct:request-reply-reserve
                        """)
                        + """

                        - route:
                            id: request-reply-points
                            from:
                              uri: direct:request-reply-points
                              steps:
                                - saga:
                                    propagation: REQUIRES_NEW
                                    timeout: 1h
                                    compensation: direct:request-reply-points-back
                                    option:
                                      - key: orderId
                                        header: orderId
                                    steps:
                                      - filter:
                                          jsonpath: $[?(@.customerId == 'C-no-points')]
                                          steps:
                                            - throwException:
                                                exceptionType: java.lang.IllegalStateException
                                                message: no points
                        - route:
                            id: request-reply-points-back
                            from:
                              uri: direct:request-reply-points-back
                              steps:
                                - setBody:
                                    constant: given back
                                - toD: file:FOLDER?fileName=${header.orderId}
                        """.replace("FOLDER", folder.resolve("back").toString()));

        TestHub.Answer undone = order("points-undone", "request-reply", "C-no-points", "pm_card_visa", "NL");
        TestHub.Answer kept = order("points-kept", "request-reply", "C-1", "pm_card_visa", "AQ");

        assertThat(undone.json().path("status").asText()).as(undone.body()).isEqualTo("SHIPPED");
        assertThat(folder.resolve("back/points-undone")).exists();
        assertThat(kept.json().path("reason").asText()).as(kept.body()).isEqualTo("shipping-refused");
        assertThat(folder.resolve("back/points-kept")).doesNotExist();
        List<String> statuses = new ArrayList<>();
        hub.get("/sagas")
                .json()
                .path("items")
                .forEach(saga -> statuses.add(saga.path("status").asText()));
        // Newest first: the nested saga and the saga of the second order, then the sagas of the first order.
        assertThat(statuses).containsExactlyInAnyOrder("COMPLETED", "COMPENSATED", "COMPENSATED", "COMPLETED");
    }

    @ParameterizedTest
    @CsvSource({
        "request-reply, 1h, SHIPPED",
        "pubsub, 1h, SHIPPED",
        "request-reply, 1s, timed-out",
        "pubsub, 1s, timed-out"
    })
    void aTimeoutOfASagaCountsInsteadOfTheDefault(String style, String timeout, String end) throws IOException {
        put("order-" + style, withTimeout("order-" + style, timeout));

        TestHub.Answer answer = order("slow-" + style, style, "C-1", "pm_slow_7000", "NL");

        String field = end.equals("SHIPPED") ? "status" : "reason";
        assertThat(answer.json().path(field).asText()).as(answer.body()).isEqualTo(end);
    }

    @Test
    void timeoutInLaterSagaBlockReplacesDefault() throws IOException {
        String mandatory = "types: OrderCreated\n      steps:\n        - saga:\n            propagation: MANDATORY\n";
        String text = text("order-pubsub");
        assertThat(text).contains(mandatory);
        put("order-pubsub", text.replace(mandatory, mandatory + "            timeout: 1h\n"));

        assertThat(order("slow-later", "pubsub", "C-1", "pm_slow_7000", "NL")
                        .json()
                        .path("status")
                        .asText())
                .isEqualTo("SHIPPED");
    }

    @Test
    void versionRunsWhileOpenSagaReferencesVersion() throws Exception {
        String text = """
                - route:
                    id: jobs
                    from:
                      uri: platform-http:/jobs
                      steps:
                        - saga:
                            propagation: REQUIRES_NEW
                            completionMode: MANUAL
                            timeout: 20s
                            compensation: direct:jobs-undo
                            steps:
                              - setBody:
                                  constant: begun
                - route:
                    id: jobs-undo
                    from:
                      uri: direct:jobs-undo
                      steps:
                        - setBody:
                            constant: undone
                        - to: file:FOLDER?fileName=VERSION
                """.replace("FOLDER", folder.resolve("undone").toString());
        put("jobs", text.replace("VERSION", "first"));
        assertThat(hub.get("/jobs").status()).isEqualTo(200);
        put("jobs", text.replace("VERSION", "second"));
        put("jobs", text.replace("VERSION", "third"));

        await().untilAsserted(() -> assertThat(versions("jobs")).containsExactlyInAnyOrder(1, 3));
        hub.close();
        open();
        await().untilAsserted(() -> assertThat(hub.get("/sagas")
                        .json()
                        .path("items")
                        .path(0)
                        .path("status")
                        .asText())
                .isEqualTo("COMPENSATED"));

        assertThat(folder.resolve("undone/first")).exists();
        await().untilAsserted(() -> assertThat(versions("jobs")).containsExactly(3));
    }

    private List<Integer> versions(String flow) {
        List<Integer> versions = new ArrayList<>();
        for (JsonNode each : hub.get("/flows").json().path("items")) {
            if (each.path("file").asText().equals(flow + ".camel.yaml")) {
                each.path("versions")
                        .forEach(version -> versions.add(version.path("version").asInt()));
            }
        }
        return versions;
    }

    private static String withTimeout(String flow, String timeout) throws IOException {
        return text(flow)
                .replaceFirst(
                        "propagation: REQUIRES_NEW\n",
                        "propagation: REQUIRES_NEW\n            timeout: " + timeout + "\n");
    }

    private static String text(String flow) throws IOException {
        return Files.readString(SHIPPED.resolve(flow + ".camel.yaml"));
    }

    private void put(String flow, String text) {
        TestHub.Answer answer = hub.put("/flows/" + flow + ".camel.yaml", text, "Content-Type", "application/yaml");
        assertThat(answer.status()).as(answer.body()).isIn(200, 201);
    }

    private TestHub.Answer order(String id, String style, String customer, String method, String country) {
        return hub.post("/orders?style=" + style, """
                {"orderId": "%s", "customerId": "%s", "items": [{"sku": "BELL", "quantity": 1, "unitPrice": 5.00}],
                 "currency": "EUR", "paymentMethod": "%s", "shippingAddress": {"country": "%s"}}
                """.formatted(id, customer, method, country));
    }
}
