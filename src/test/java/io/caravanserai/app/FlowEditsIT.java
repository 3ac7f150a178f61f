package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.cli.HubCommand;
import io.caravanserai.config.SettingsReader;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.Style;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class FlowEditsIT {
    private static final String FILE = "order-request-reply.camel.yaml";
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir
    private static Path folder;

    private static Path routes;
    private static Hub hub;

    @BeforeAll
    static void start() throws Exception {
        routes = Files.createDirectory(folder.resolve("routes"));
        for (Style style : Style.values()) {
            String file = style.flow() + ".camel.yaml";
            Files.copy(Path.of("src/main/resources/routes", file), routes.resolve(file));
        }
        hub = Hub.start(new SettingsReader(
                        Map.of(),
                        Map.of(
                                "hub.data.dir",
                                folder.resolve("data").toString(),
                                "hub.routes.dir",
                                routes.toString(),
                                "hub.http.wait",
                                "60s",
                                "hub.http.port",
                                "0",
                                "hub.jms.port",
                                "0"))
                .read()
                .settings());
        send("PUT", "/stock/SADDLE-01", "application/json", "{\"onHand\": 1000}");
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @Test
    void putTextRunsAtOnceAndIsListedComparedAndRolledBack() throws Exception {
        String before = send("GET", "/flows/" + FILE, null, null).body();
        int version = order().path("flowVersion").asInt();
        String text = before.replace("description: Ship the order", "description: Ship the whole order");

        HttpResponse<String> put = send("PUT", "/flows/" + FILE, "application/yaml", text);

        assertThat(put.statusCode()).isEqualTo(200);
        assertThat(json(put).path("file").asText()).isEqualTo(FILE);
        assertThat(json(put).path("version").asInt()).isEqualTo(version + 1);
        assertThat(order().path("flowVersion").asInt()).isEqualTo(version + 1);
        assertThat(Files.readString(routes.resolve(FILE))).isEqualTo(text);
        JsonNode listed = json(send("GET", "/flows", null, null)).path("items").path(3);
        assertThat(listed.path("version").asInt()).isEqualTo(version + 1);
        assertThat(send("GET", "/flows/" + FILE + "/diff", null, null).body())
                .contains("-    description: Ship the order, ")
                .contains("+    description: Ship the whole order, ");

        HttpResponse<String> back = send("POST", "/flows/" + FILE + "/rollback", null, "");

        assertThat(json(back).path("version").asInt()).isEqualTo(version + 2);
        assertThat(send("GET", "/flows/" + FILE, null, null).body()).isEqualTo(before);
        assertThat(json(send("GET", "/flows/" + FILE + "/versions", null, null)).path("items"))
                .hasSize(version + 2);
    }

    @Test
    void routeMetersAreRemovedWithFlowVersion() throws Exception {
        HttpResponse<String> read = send("GET", "/flows/" + FILE, null, null);
        int version = order().path("flowVersion").asInt();
        assertThat(metrics()).contains(routeId(version));

        assertThat(send("PUT", "/flows/" + FILE, "application/yaml", read.body() + "# edited\n")
                        .statusCode())
                .isEqualTo(200);

        await().untilAsserted(() ->
                assertThat(metrics()).contains(routeId(version + 1)).doesNotContain(routeId(version)));
        send("PUT", "/flows/" + FILE, "application/yaml", read.body());
    }

    private static String metrics() throws Exception {
        return send("GET", "/observe/metrics", null, null).body();
    }

    private static String routeId(int version) {
        return "routeId=\"" + FILE.replace(".camel.yaml", "") + "@" + version + "\"";
    }

    @Test
    void editBasedOnOlderVersionIsRefused() throws Exception {
        HttpResponse<String> read = send("GET", "/flows/" + FILE, null, null);
        String tag = read.headers().firstValue("ETag").orElseThrow();

        HttpResponse<String> first = putIf("If-Match", tag, read.body() + "# first\n");
        HttpResponse<String> second = putIf("If-Match", tag, read.body() + "# second\n");
        HttpResponse<String> onlyNew = putIf("If-None-Match", "*", read.body() + "# third\n");

        assertThat(List.of(first.statusCode(), second.statusCode(), onlyNew.statusCode()))
                .containsExactly(200, 412, 412);
        HttpResponse<String> running = send("GET", "/flows/" + FILE, null, null);
        assertThat(running.body()).endsWith("# first\n");
        assertThat(running.headers().firstValue("ETag"))
                .isEqualTo(first.headers().firstValue("ETag"))
                .isPresent();
        send("PUT", "/flows/" + FILE, "application/yaml", read.body());
    }

    /** RFC 9110, section 13.1.1: an asterisk is either the whole field value or part of a tag. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "If-Match      | \"a,*,b\"      | 412",
                "If-Match      | \"a, *\", \"b\" | 412",
                "If-Match      | *, \"a\"       | 412",
                "If-Match      | \"a\\\", *      | 412",
                "If-None-Match | *, \"a\"       | 400",
                "If-None-Match | \"a,*,b\"      | 200",
            })
    void anAsteriskInAListOfTagsIsNotAnyVersion(String header, String value, int status) throws Exception {
        HttpResponse<String> before = send("GET", "/flows/" + FILE, null, null);

        HttpResponse<String> put = putIf(header, value, before.body());

        assertThat(put.statusCode()).isEqualTo(status);
        HttpRequest delete = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + hub.port() + "/flows/" + FILE))
                .header(header, value)
                .DELETE()
                .build();
        if (status != 200) {
            assertThat(HTTP.send(delete, HttpResponse.BodyHandlers.ofString()).statusCode())
                    .isEqualTo(status);
            assertThat(send("GET", "/flows/" + FILE, null, null).headers().firstValue("Flow-Version"))
                    .isEqualTo(before.headers().firstValue("Flow-Version"));
        }
    }

    private static HttpResponse<String> putIf(String header, String value, String text) throws Exception {
        return HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + hub.port() + "/flows/" + FILE))
                        .header("Content-Type", "application/yaml")
                        .header(header, value)
                        .PUT(HttpRequest.BodyPublishers.ofString(text))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void invalidTextIsRefusedWithPositionAndChangesNothing() throws Exception {
        String before = send("GET", "/flows/" + FILE, null, null).body();
        String bad = before.replace("to: direct:ship-order", "to: jsm:queue:ship");

        HttpResponse<String> put = send("PUT", "/flows/" + FILE, "application/yaml", bad);

        assertThat(put.statusCode()).isEqualTo(422);
        JsonNode error = OrderJson.MAPPER.readTree(put.body()).path("errors").path(0);
        assertThat(error.path("file").asText()).isEqualTo(FILE);
        assertThat(error.path("line").asInt())
                .isEqualTo((int) bad.substring(0, bad.indexOf("jsm:")).lines().count());
        assertThat(error.path("column").asInt()).isEqualTo(21);
        assertThat(error.path("message").asText()).isEqualTo("unknown component 'jsm', did you mean 'jms'?");
        assertThat(send("GET", "/flows/" + FILE, null, null).body()).isEqualTo(before);
        assertThat(Files.readString(routes.resolve(FILE))).isEqualTo(before);
        JsonNode validated = json(send("POST", "/flows/validate?file=" + FILE, "application/yaml", bad));
        assertThat(validated.path("valid").asBoolean()).isFalse();
        assertThat(validated.path("errors")).hasSize(1);
        assertThat(order().path("status").asText()).isEqualTo("SHIPPED");
    }

    /** The first start skips the full check of the flows of the hub; this test justifies the shortcut. */
    @ParameterizedTest
    @EnumSource(Style.class)
    void flowsOfTheHubPassTheFullCheck(Style style) throws Exception {
        String file = style.flow() + ".camel.yaml";
        String shipped = Files.readString(Path.of("src/main/resources/routes", file));

        JsonNode validated = json(send("POST", "/flows/validate?file=" + file, "application/yaml", shipped));

        assertThat(validated.path("errors")).isEmpty();
        assertThat(validated.path("valid").asBoolean()).isTrue();
    }

    @Test
    void newFileIsCreatedAndDeletionEndsFlow() throws Exception {
        String text = """
                - route:
                    id: tick
                    from:
                      uri: timer:tick
                      parameters:
                        period: 1000
                      steps:
                        - to: log:tick?level=DEBUG
                """;

        HttpResponse<String> put = send("PUT", "/flows/tick.camel.yaml", "application/yaml", text);

        assertThat(put.statusCode()).isEqualTo(201);
        assertThat(put.headers().firstValue("Location")).contains("/flows/tick.camel.yaml");
        Files.delete(routes.resolve("tick.camel.yaml"));
        await().until(() -> send("GET", "/flows/tick.camel.yaml", null, null).statusCode() == 404);
        assertThat(send("PUT", "/flows/..%2Fx.camel.yaml", "application/yaml", text)
                        .statusCode())
                .isEqualTo(404);
    }

    @Test
    void commandLineReportsSameFaults() throws Exception {
        Path bad = Files.createDirectory(folder.resolve("bad"));
        Files.writeString(
                bad.resolve("a.camel.yaml"),
                "- route:\n    id: a\n    from:\n      uri: timer:a\n      steps:\n        - too: log:a\n");
        Path kafka = Files.createDirectory(folder.resolve("kafka"));
        Files.writeString(
                kafka.resolve("b.camel.yaml"),
                "- route:\n    id: b\n    from:\n      uri: kafka:b\n      steps:\n        - to: kafka:c\n");
        ByteArrayOutputStream out = new ByteArrayOutputStream();

        int fine = HubCommand.run(
                List.of("check", "src/main/resources/routes", kafka.toString()), new PrintStream(out), System.err);
        int faults = HubCommand.run(List.of("check", bad.toString()), new PrintStream(out), System.err);

        assertThat(out.toString(StandardCharsets.UTF_8))
                .isEqualTo(bad.resolve("a.camel.yaml") + ":6:11: unknown step 'too', did you mean 'to'?\n");
        assertThat(fine).isZero();
        assertThat(faults).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Style.class)
    void ordersOfEveryStyleAreReplayed(Style style) throws Exception {
        String file = style.flow() + ".camel.yaml";
        HttpResponse<String> sent = send("POST", "/orders?style=" + style.wire(), "application/json", orderJson());
        String order = OrderJson.MAPPER.readTree(sent.body()).path("orderId").asText();
        await().until(() -> json(send("GET", "/orders/" + order, null, null))
                .path("status")
                .asText()
                .equals("SHIPPED"));
        String text = send("GET", "/flows/" + file, null, null).body();

        JsonNode report = json(send(
                "POST",
                "/flows/" + file + "/try?orderIds=" + order,
                "application/yaml",
                text.replace("to: direct:ship-order", "to: log:ship?level=DEBUG")));

        JsonNode item = report.path("items").path(0);
        String follows = text.contains("to: direct:notify-customer") ? ",\"notify-customer\",\"count-order\"" : "";
        assertThat(item.path("before").toString())
                .isEqualTo("{\"status\":\"SHIPPED\",\"steps\":[\"create-order\",\"reserve-items\",\"process-payment\","
                        + "\"ship-order\"" + follows + "]}");
        assertThat(item.path("after").toString())
                .isEqualTo("{\"status\":\"OPEN\",\"steps\":[\"create-order\",\"reserve-items\",\"process-payment\""
                        + follows + "]}");
    }

    @Test
    void dryRunUsesPastOrders() throws Exception {
        String shipped = order().path("orderId").asText();
        String body = orderJson().replace("pm_card_visa", "pm_card_declined");
        HttpResponse<String> refused = send("POST", "/orders", "application/json", body);
        String declined =
                OrderJson.MAPPER.readTree(refused.body()).path("orderId").asText();
        String text = send("GET", "/flows/" + FILE, null, null).body();
        String step = "              - to: direct:ship-order";

        JsonNode report = json(send(
                "POST",
                "/flows/" + FILE + "/try?orderIds=" + shipped + "," + declined,
                "application/yaml",
                text.replace(step, "              - to: jms:queue:freight\n" + step)));

        assertThat(report.path("orders").asInt()).isEqualTo(2);
        assertThat(report.path("changed").asInt()).isEqualTo(1);
        JsonNode change = report.path("items").path(0);
        assertThat(change.path("orderId").asText()).isEqualTo(shipped);
        assertThat(change.path("before").toString())
                .isEqualTo("{\"status\":\"SHIPPED\",\"steps\":[\"create-order\",\"reserve-items\",\"process-payment\","
                        + "\"ship-order\",\"notify-customer\",\"count-order\"]}");
        assertThat(change.path("after").toString())
                .isEqualTo("{\"status\":\"SHIPPED\",\"steps\":[\"create-order\",\"reserve-items\",\"process-payment\","
                        + "\"to jms:queue:freight\",\"ship-order\",\"notify-customer\",\"count-order\"]}");

        JsonNode early = json(send(
                "POST",
                "/flows/" + FILE + "/try?limit=200",
                "application/yaml",
                text.replace("              - to: direct:request-reply-reserve\n", "")));

        for (JsonNode item : early.path("items")) {
            if (item.path("orderId").asText().equals(declined)) {
                assertThat(item.path("after").toString())
                        .isEqualTo("{\"status\":\"CANCELLED\",\"steps\":[\"create-order\","
                                + "\"process-payment: payment-declined\",\"refund-payment\",\"cancel-order\"]}");
            }
        }
        assertThat(early.path("changed").asInt()).isGreaterThanOrEqualTo(2);
    }

    @Test
    void dryRunAppliesRouteConfigurationOfText() throws Exception {
        String body = orderJson().replace("pm_card_visa", "pm_card_declined");
        String declined = OrderJson.MAPPER
                .readTree(send("POST", "/orders", "application/json", body).body())
                .path("orderId")
                .asText();
        String last = "            - io.caravanserai.saga.SagaNotRunningException\n";

        JsonNode report = json(send(
                "POST",
                "/flows/" + FILE + "/try?orderIds=" + declined,
                "application/yaml",
                send("GET", "/flows/" + FILE, null, null)
                        .body()
                        .replace(last, last + "          steps:\n            - to: jms:queue:refused\n")));

        assertThat(report.path("items").path(0).path("after").toString())
                .isEqualTo("{\"status\":\"CANCELLED\",\"steps\":[\"create-order\",\"reserve-items\","
                        + "\"process-payment: payment-declined\",\"to jms:queue:refused\",\"refund-payment\","
                        + "\"release-items\",\"cancel-order\"]}");
    }

    private static String orderJson() {
        return """
                {"customerId": "C-1", "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 50.00}],
                 "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "NL"}}
                """;
    }

    private static JsonNode order() throws Exception {
        HttpResponse<String> order = send("POST", "/orders", "application/json", orderJson());
        assertThat(order.statusCode()).as(order.body()).isEqualTo(201);
        return OrderJson.MAPPER.readTree(order.body());
    }

    private static JsonNode json(HttpResponse<String> response) throws Exception {
        assertThat(response.statusCode()).as(response.body()).isBetween(200, 299);
        return OrderJson.MAPPER.readTree(response.body());
    }

    private static HttpResponse<String> send(String method, String path, String type, String body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + hub.port() + path))
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        if (type != null) {
            request.header("Content-Type", type);
        }
        return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
