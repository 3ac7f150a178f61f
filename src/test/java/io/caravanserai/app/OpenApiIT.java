package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import io.caravanserai.app.TestHub.Answer;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.json.schema.OutputUnit;
import io.vertx.openapi.contract.OpenAPIVersion;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenApiIT {
    private static final Set<String> METHODS = Set.of("get", "post", "put", "delete");
    private static final String ORDER = """
            {"orderId": "%s", "customerId": "C-1", "currency": "EUR", "paymentMethod": "%s",
             "items": [{"sku": "SADDLE-01", "quantity": 2, "unitPrice": 50.00}], "shippingAddress": {"country": "NL"}}""";

    @TempDir
    static Path folder;

    private static TestHub hub;
    private static JsonNode document;

    @BeforeAll
    static void start() throws Exception {
        hub = TestHub.start(folder, Map.of());
        document = hub.get("/openapi.json").json();
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @Test
    void theDocumentIsOpenApi31() throws Exception {
        Vertx vertx = Vertx.vertx();
        try {
            JsonObject contract = new JsonObject(document.toString());
            OpenAPIVersion version = OpenAPIVersion.fromContract(contract);
            assertThat(version).isEqualTo(OpenAPIVersion.V3_1);
            OutputUnit result = validated(vertx, version, contract);
            assertThat(result.getValid()).as(String.valueOf(result.getErrors())).isTrue();

            // Checks that the validator detects a deviation.
            contract.getJsonObject("paths").getJsonObject("/orders").put("get", new JsonObject().put("responses", 1));
            assertThat(validated(vertx, version, contract).getValid()).isFalse();
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().get();
        }
    }

    private static OutputUnit validated(Vertx vertx, OpenAPIVersion version, JsonObject contract) throws Exception {
        return version.getRepository(vertx, "https://caravanserai.example/")
                .compose(schemas -> version.validateContract(vertx, schemas, contract))
                .toCompletionStage()
                .toCompletableFuture()
                .get();
    }

    @Test
    void documentDescribesExactlyTheServedEndpoints() {
        Set<String> described = new TreeSet<>();
        document.path("paths")
                .properties()
                .forEach(path -> path.getValue().fieldNames().forEachRemaining(method -> {
                    if (METHODS.contains(method)) {
                        described.add(method.toUpperCase(Locale.ROOT) + " " + path.getKey());
                    }
                }));
        Set<String> served = new TreeSet<>();
        hub.endpointsServed().forEach(endpoint -> served.add(endpoint.method() + " " + endpoint.path()));

        assertThat(described).isEqualTo(served);
    }

    @Test
    void documentNamesExactlyTheKnownQueryParameters() {
        hub.endpointsServed().forEach(endpoint -> {
            Set<String> described = new TreeSet<>();
            operation(endpoint.method(), endpoint.path()).path("parameters").forEach(parameter -> {
                JsonNode resolved = resolved(parameter);
                if (resolved.path("in").textValue().equals("query")) {
                    described.add(resolved.path("name").textValue());
                }
            });
            assertThat(endpoint.queryParameters())
                    .as(endpoint.method() + " " + endpoint.path())
                    .containsExactlyInAnyOrderElementsOf(described);
        });
    }

    @Test
    void anUnknownQueryParameterIsRefusedOnEveryPath() {
        hub.endpointsServed().forEach(endpoint -> {
            String path = endpoint.path().replaceAll("\\{[a-z]+\\}", "x");
            String body = endpoint.mediaTypes().isEmpty() ? null : "{}";
            String type = endpoint.mediaTypes().isEmpty()
                    ? "application/json"
                    : endpoint.mediaTypes().get(0);
            Answer answer = hub.send(endpoint.method(), path + "?unheard-of=1", body, "Content-Type", type)
                    .join();
            assertThat(answer.status()).as(endpoint.method() + " " + path).isEqualTo(400);
            assertThat(answer.json().path("parameter").textValue()).isEqualTo("unheard-of");
        });
        assertThat(hub.get("/orders?stauts=SHIPPED").json().path("detail").textValue())
                .isEqualTo("stauts: is not a known parameter; did you mean status?");
        assertThat(hub.get("/orders?status=SHIPPED&status=PAID").status()).isEqualTo(400);
        assertThat(hub.get("/orders?STATUS=SHIPPED").status()).isEqualTo(400);
        assertThat(hub.get("/orders?&").status()).isEqualTo(200);
        assertThat(hub.post("/orders?stile=queue", order("unread", "pm_card_visa"))
                        .status())
                .isEqualTo(400);
        assertThat(hub.get("/orders/unread").status()).isEqualTo(404);
    }

    @Test
    void documentNamesAcceptedMediaTypes() {
        hub.endpointsServed().stream()
                .filter(endpoint -> !endpoint.mediaTypes().isEmpty())
                .forEach(endpoint -> assertThat(operation(endpoint.method(), endpoint.path())
                                .at("/requestBody/content")
                                .fieldNames())
                        .toIterable()
                        .as(endpoint.method() + " " + endpoint.path())
                        .isNotEmpty()
                        .isSubsetOf(endpoint.mediaTypes()));
    }

    @Test
    void answersAreAsDescribed() {
        Answer shipped = checked("POST", "/orders", "/orders", order("shipped", "pm_card_visa"), 201);
        checked("POST", "/orders", "/orders", order("shipped", "pm_card_visa"), 200);
        checked("POST", "/orders", "/orders", order("shipped", "pm_card_declined"), 409);
        checked("POST", "/orders", "/orders", order("declined", "pm_card_declined"), 409);
        checked("POST", "/orders", "/orders", order("flaky", "pm_flaky_2"), 201);
        checked("POST", "/orders", "/orders", order("later", "pm_slow_60000"), 202, "Prefer", "respond-async");
        checked("POST", "/orders", "/orders", "{", 400);
        checked("POST", "/orders", "/orders", "{\"a/b c\": 1}", 422);
        checked("POST", "/orders", "/orders", "{}", 415, "Content-Type", "text/plain");
        checked("POST", "/orders", "/orders", "x".repeat(1024 * 1024 + 1), 413);
        checked("GET", "/orders", "/orders?limit=2", null, 200);
        checked("GET", "/orders", "/orders?limit=no", null, 400);
        checked("GET", "/orders/{id}", "/orders/declined", null, 200);
        checked("GET", "/orders/{id}", "/orders/none", null, 404);
        checked("POST", "/orders/{id}/cancel", "/orders/shipped/cancel", null, 409);
        checked("POST", "/orders/{id}/cancel", "/orders/declined/cancel", null, 200);
        checked("POST", "/orders/{id}/cancel", "/orders/later/cancel", null, 202);
        String saga = "/sagas/" + shipped.json().path("sagaId").textValue();
        checked("GET", "/sagas", "/sagas", null, 200);
        checked("GET", "/sagas/{id}", saga, null, 200);
        checked("POST", "/sagas/{id}/retry", saga + "/retry", null, 409);
        checked("POST", "/sagas/{id}/compensate", saga + "/compensate", null, 409);
        checked("POST", "/sagas/{id}/resolve", saga + "/resolve", "{\"reason\": \"x\"}", 409);
        checked("POST", "/sagas/{id}/resolve", saga + "/resolve", "{}", 422);
        checked("GET", "/stock", "/stock", null, 200);
        checked("PUT", "/stock/{sku}", "/stock/X", "{\"onHand\": 3}", 200);
        checked("GET", "/stock/{sku}", "/stock/X", null, 200);
        checked("GET", "/payments", "/payments", null, 200);
        checked("GET", "/shipments", "/shipments?orderId=shipped", null, 200);
        checked("GET", "/events", "/events?orderId=declined", null, 200);
        checked("GET", "/schemas", "/schemas", null, 200);
        checked("GET", "/schemas/{type}/{version}", "/schemas/OrderCreated/v1", null, 200);
        checked("GET", "/analytics", "/analytics", null, 200);
        checked("POST", "/analytics/rebuild", "/analytics/rebuild", null, 202);
        checked("GET", "/dead-letters", "/dead-letters", null, 200);
        checked("GET", "/dead-letters/{id}", "/dead-letters/none", null, 404);
        checked("POST", "/dead-letters/replay", "/dead-letters/replay", "{}", 202);
        String file = "/flows/order-request-reply.camel.yaml";
        checked("GET", "/flows", "/flows", null, 200);
        checked("GET", "/flows/{file}/versions", file + "/versions", null, 200);
        checked("GET", "/flows/{file}", "/flows/none.camel.yaml", null, 404);
        checked("PUT", "/flows/{file}", file, "- nonsense: 1", 422, "Content-Type", "application/yaml");
        checked("POST", "/flows/validate", "/flows/validate", "[", 200, "Content-Type", "application/yaml");
        checked("GET", "/observe/health", "/observe/health", null, 200);
        checked("GET", "/observe/health/live", "/observe/health/live", null, 200);
        checked("GET", "/observe/health/ready", "/observe/health/ready", null, 200);
    }

    @Test
    void metersCountOrdersStepsAndSagas() {
        hub.post("/orders", order("counted", "pm_card_visa"));
        hub.post("/orders", order("counted-too", "pm_card_declined"));

        // The answer at the end of a saga comes a moment before the meter is updated.
        await().untilAsserted(() -> assertThat(hub.get("/observe/metrics").body())
                .contains("hub_orders_ended_total{reason=\"\",status=\"SHIPPED\",style=\"request-reply\"}")
                .contains(
                        "hub_orders_ended_total{reason=\"payment-declined\",status=\"CANCELLED\",style=\"request-reply\"}")
                .contains("hub_sagas_open{status=\"STUCK\"} 0.0")
                .contains("hub_sagas_ended_total{status=\"COMPLETED\"}")
                .contains("hub_store_unit_seconds_count{unit=\"reserve-items\"}")
                .contains("hub_store_commit_units_count")
                .contains("hub_store_pending")
                .contains("hub_store_wal_bytes")
                .contains("jvm_memory_used_bytes"));
    }

    private static String order(String id, String payment) {
        return ORDER.formatted(id, payment);
    }

    /** Sends a request and checks the response against the document. */
    private static Answer checked(
            String method, String template, String path, String body, int status, String... headers) {
        Answer answer = hub.send(method, path, body, headers).join();
        String what = method + " " + path + " -> " + answer.status() + " " + answer.body();
        assertThat(answer.status()).as(what).isEqualTo(status);
        JsonNode response =
                resolved(operation(method, template).path("responses").path(String.valueOf(status)));
        assertThat(response.isObject()).as("described: " + what).isTrue();
        JsonNode content = response.path("content").path(answer.header("Content-Type"));
        assertThat(content.isObject()).as("media type: " + what).isTrue();
        ObjectNode schema = content.path("schema").deepCopy();
        schema.set("components", document.path("components"));
        Set<ValidationMessage> faults = JsonSchemaFactory.getInstance(VersionFlag.V202012)
                .getSchema(schema)
                .validate(answer.json());
        assertThat(faults).as(what).isEmpty();
        return answer;
    }

    private static JsonNode operation(String method, String template) {
        return document.path("paths").path(template).path(method.toLowerCase(Locale.ROOT));
    }

    private static JsonNode resolved(JsonNode node) {
        return node.has("$ref") ? document.at(node.path("$ref").textValue().substring(1)) : node;
    }
}
