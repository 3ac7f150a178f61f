package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.app.TestHub.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Dry runs with the recipes of docs/flows.md, and with flows whose steps the services drop. */
class FlowTryIT {
    private static final String FILE = "order-request-reply.camel.yaml";

    @TempDir
    static Path folder;

    private static Path routes;
    private static String shipped;
    private static TestHub hub;

    @BeforeAll
    static void startHub() throws Exception {
        routes = Files.createDirectories(folder.resolve("routes"));
        shipped = Files.readString(Path.of("src/main/resources/routes", FILE));
        Files.writeString(routes.resolve(FILE), shipped);
        hub = TestHub.start(folder.resolve("data"), Map.of("hub.routes.dir", routes.toString()));
        hub.put("/stock/BELL", "{\"onHand\": 1000}");
        order("good", "pm_card_visa");
        order("poor", "pm_card_declined");
    }

    @AfterAll
    static void stopHub() {
        hub.close();
    }

    private static void order(String id, String method) {
        hub.post("/orders", """
                {"orderId": "ID", "customerId": "C-1", "items": [{"sku": "BELL", "quantity": 200, "unitPrice": 5}],
                "currency": "EUR", "paymentMethod": "METHOD", "shippingAddress": {"country": "NL"}}""".replace("ID", id).replace("METHOD", method));
    }

    private static Answer attempt(String file, String text) {
        return hub.post("/flows/" + file + "/try", text, "Content-Type", "application/yaml");
    }

    private static List<String> stepsAfter(Answer tried, String orderId) {
        List<String> steps = new ArrayList<>();
        for (JsonNode item : tried.json().path("items")) {
            if (item.path("orderId").asText().equals(orderId)) {
                item.at("/after/steps").forEach(step -> steps.add(step.asText()));
            }
        }
        return steps;
    }

    private static String recipe(String name) throws IOException {
        String docs = Files.readString(Path.of("docs/flows.md"));
        int begin = docs.indexOf("```yaml\n", docs.indexOf("<!-- recipe: " + name + " -->")) + "```yaml\n".length();
        return docs.substring(begin, docs.indexOf("```", begin));
    }

    /** Returns the flow of the hub with one route replaced, or with the recipe appended. */
    private static String with(String recipe, String route) throws IOException {
        String text = shipped;
        if (route != null) {
            int begin = text.indexOf("- route:\n    id: " + route + "\n");
            int end = text.indexOf("\n- route:", begin);
            text = text.substring(0, begin) + (end < 0 ? "" : text.substring(end + 1));
        }
        return text + "\n" + recipe(recipe);
    }

    @ParameterizedTest
    @CsvSource({
        "http-payment, request-reply-pay",
        "jms-payment, request-reply-pay",
        "big-orders, request-reply-ship",
        "fraud-check,"
    })
    void everyRecipeCanBeTriedAndSoCanAHarmlessEditOnceItRuns(String recipe, String route) throws Exception {
        String text = with(recipe, route);
        if (recipe.equals("fraud-check")) {
            text = text.replace(
                    "              - to: direct:request-reply-pay\n",
                    "              - to: direct:request-reply-fraud\n              - to: direct:request-reply-pay\n");
        }

        Answer tried = attempt(FILE, text);
        Answer put = hub.put("/flows/" + FILE, text, "Content-Type", "application/yaml");
        Answer again = attempt(FILE, text + "\n# harmless\n");

        assertThat(tried.status()).as(tried.body()).isEqualTo(200);
        assertThat(stepsAfter(tried, "good")).contains("ship-order");
        assertThat(put.status()).isEqualTo(200);
        assertThat(again.status()).as(again.body()).isEqualTo(200);
        assertThat(again.json().path("changed").asInt()).isZero();
        hub.put("/flows/" + FILE, shipped, "Content-Type", "application/yaml");
    }

    @ParameterizedTest
    @ValueSource(strings = {"once", "subscriber", "file-ingress"})
    void dryRunOfFlowWithoutEntryHasNoOrders(String recipe) throws Exception {
        Answer tried = attempt(recipe + ".camel.yaml", recipe(recipe));

        assertThat(tried.status()).as(tried.body()).isEqualTo(200);
        assertThat(tried.json().path("orders").asInt()).isZero();
    }

    @Test
    void droppedServiceCallIsNotInTrace() {
        String policy = "          redeliveryPolicy:\n            maximumRedeliveries: 0\n";
        assertThat(shipped).contains(policy);
        String goesOn = shipped.replace(policy, "          handled: {constant: \"true\"}\n" + policy);

        Answer tried = hub.post("/flows/" + FILE + "/try?orderIds=poor", goesOn, "Content-Type", "application/yaml");

        assertThat(tried.status()).as(tried.body()).isEqualTo(200);
        assertThat(stepsAfter(tried, "poor"))
                .contains("process-payment: payment-declined")
                .doesNotContain("ship-order");
    }

    @Test
    void flowThatShipsUnpaidOrderIsNotRun() {
        String backwards = shipped.replace("direct:process-payment", "direct:first")
                .replace("direct:ship-order", "direct:process-payment")
                .replace("direct:first", "direct:ship-order");

        Answer tried = attempt(FILE, backwards);

        assertThat(tried.status()).as(tried.body()).isEqualTo(422);
        assertThat(tried.body()).contains("ship-order");
    }
}
