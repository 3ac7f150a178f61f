package io.caravanserai.flow.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.nodes.Node;

/** Edits of the flows of the hub that would ship unpaid orders or keep money, and similar edits that are valid. */
class StepRulesIT {
    private static final Path ROUTES = Path.of("src/main/resources/routes");
    private static final CamelContext CONTEXT = new DefaultCamelContext();
    private static final String PAY = "- to: direct:request-reply-pay\n";
    private static final String SHIP = "- to: direct:request-reply-ship\n";

    private static List<String> faults(String flow, String text, Map<String, String> others) {
        Map<String, Node> trees = new HashMap<>();
        others.forEach((file, other) -> trees.put(file, Nodes.parse(file, other).orElseThrow()));
        CheckContext around = new CheckContext(CONTEXT, null, null, Map.of(), Map.of(), Map.of(), trees, Map.of());
        String file = flow + ".camel.yaml";
        return StepRules.check(file, Nodes.parse(file, text).orElseThrow(), around).stream()
                .map(Fault::toString)
                .toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"order-request-reply", "order-queue", "order-pubsub", "order-choreography"})
    void theShippedFlowsPass(String flow) throws IOException {
        Map<String, String> others = new HashMap<>();
        for (String other : List.of("order-request-reply", "order-queue", "order-pubsub", "order-choreography")) {
            if (!other.equals(flow)) {
                others.put(other + ".camel.yaml", text(other));
            }
        }

        assertThat(faults(flow, text(flow), others)).isEmpty();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("unsound")
    void anUnsoundEditIsRefused(String name, String flow, String text, String place, String message) {
        List<String> faults = faults(flow, text, Map.of());

        assertThat(faults)
                .as(text)
                .anySatisfy(fault -> assertThat(fault)
                        .startsWith(flow + ".camel.yaml:" + line(text, place) + ":")
                        .contains(message));
        // In a choreography a broken chain also leaves the step before without a compensation.
        assertThat(flow.equals("order-choreography") ? 1 : faults.size())
                .as(text)
                .isEqualTo(1);
    }

    private static Stream<Arguments> unsound() throws IOException {
        String reply = text("order-request-reply");
        String queue = text("order-queue");
        String pubsub = text("order-pubsub");
        String choreography = text("order-choreography");
        String wrong = "the compensation does not undo the step 'process-payment': it must lead to"
                + " 'direct:refund-payment'";
        String unpaid = "'ship-order' needs 'process-payment' before it";
        return Stream.of(
                of(
                        "wrong compensation",
                        "order-request-reply",
                        reply.replace("uri: direct:refund-payment", "uri: direct:release-items"),
                        "id: request-reply-pay\n|compensation:",
                        wrong),
                of(
                        "compensation that does nothing of it",
                        "order-request-reply",
                        reply.replace("uri: direct:refund-payment", "uri: log:undo"),
                        "id: request-reply-pay\n|compensation:",
                        wrong),
                of(
                        "compensation of one's own that does not refund",
                        "order-request-reply",
                        reply.replace("uri: direct:refund-payment", "uri: direct:pay-back")
                                + route("pay-back", "- to: log:undo"),
                        "id: request-reply-pay\n|compensation:",
                        wrong),
                of(
                        "no compensation",
                        "order-request-reply",
                        reply.replaceFirst("            compensation:\n              uri: direct:refund-payment\n", ""),
                        "direct:process-payment",
                        "has no compensation"),
                of(
                        "shipped before paid",
                        "order-request-reply",
                        reply.replace(PAY, "@").replace(SHIP, PAY).replace("@", SHIP),
                        "- to: direct:ship-order",
                        unpaid),
                of(
                        "never paid",
                        "order-request-reply",
                        reply.replace(PAY + "              ", ""),
                        "- to: direct:ship-order",
                        unpaid),
                of(
                        "shipped in parallel",
                        "order-request-reply",
                        reply.replace(PAY + "              " + SHIP, """
                                - multicast:
                                                  parallelProcessing: true
                                                  steps:
                                                    - to: direct:request-reply-pay
                                                    - to: direct:request-reply-ship
                                """),
                        "- to: direct:ship-order",
                        unpaid),
                of(
                        "a choice that skips the payment",
                        "order-request-reply",
                        reply.replace(PAY, """
                                - choice:
                                                  when:
                                                    - simple: ${header.vip} == 'true'
                                                      steps:
                                                        - to: direct:request-reply-pay
                                """),
                        "- to: direct:ship-order",
                        unpaid),
                of(
                        "paid twice",
                        "order-request-reply",
                        reply.replace(PAY, PAY + "              " + PAY),
                        "- to: direct:process-payment",
                        "is done before on each way to here"),
                of(
                        "a saga of its own",
                        "order-request-reply",
                        reply.replaceFirst("(?s)(id: request-reply-pay\n.*?)MANDATORY", "$1REQUIRES_NEW"),
                        "- to: direct:process-payment",
                        "stands in a saga of its own (REQUIRES_NEW)"),
                of(
                        "reserved after shipped",
                        "order-request-reply",
                        reply.replace("- to: direct:request-reply-reserve\n              ", "")
                                .replace(SHIP, SHIP + "              - to: direct:request-reply-reserve\n"),
                        "- to: direct:ship-order",
                        "'ship-order' needs 'reserve-items' before it"),
                of(
                        "without a saga",
                        "order-express",
                        route("order-express", "- to: direct:process-payment"),
                        "- to: direct:process-payment",
                        "has no compensation"),
                of(
                        "a saga that begins only within another",
                        "order-express",
                        """
                        - route:
                            from:
                              uri: direct:order-express
                              steps:
                                - saga:
                                    propagation: SUPPORTS
                                    compensation: direct:refund-payment
                                    option:
                                      - key: orderId
                                        header: orderId
                                    steps:
                                      - to: direct:process-payment
                        """,
                        "- to: direct:process-payment",
                        "has no compensation"),
                of(
                        "queue: wrong compensation",
                        "order-queue",
                        queue.replace("uri: direct:refund-payment", "uri: direct:cancel-order"),
                        "id: queue-pay\n|compensation:",
                        wrong),
                of(
                        "queue: shipped before paid",
                        "order-queue",
                        queue.replace("- to: direct:queue-pay\n", "@")
                                .replace("- to: direct:queue-ship\n", "- to: direct:queue-pay\n")
                                .replace("@", "- to: direct:queue-ship\n"),
                        "- to: direct:ship-order",
                        unpaid),
                of(
                        "pubsub: shipped when reserved",
                        "order-pubsub",
                        pubsub.replace("types: PaymentProcessed", "types: ItemsReserved"),
                        "- to: direct:ship-order",
                        unpaid),
                of(
                        "pubsub: no compensation",
                        "order-pubsub",
                        pubsub.replaceFirst(
                                "            compensation:\n              uri: direct:refund-payment\n", ""),
                        "- to: direct:process-payment",
                        "has no compensation"),
                of(
                        "pubsub: wrong compensation",
                        "order-pubsub",
                        pubsub.replace("uri: direct:refund-payment", "uri: direct:release-items"),
                        "id: pubsub-payment\n|compensation:",
                        wrong),
                of(
                        "pubsub: a declined payment turns nothing back",
                        "order-pubsub",
                        pubsub.replace(
                                "types: ReservationFailed,PaymentFailed,ShippingFailed,OrderTimedOut",
                                "types: ReservationFailed,ShippingFailed,OrderTimedOut"),
                        "id: pubsub-compensate\n|- to: saga:compensate",
                        "no route that hears PaymentFailed leads to 'saga:compensate'"),
                of(
                        "pubsub: only the deadline turns it back",
                        "order-pubsub",
                        pubsub.replace(
                                "types: ReservationFailed,PaymentFailed,ShippingFailed,OrderTimedOut",
                                "types: OrderTimedOut"),
                        "id: pubsub-compensate\n|- to: saga:compensate",
                        "ReservationFailed or PaymentFailed or ShippingFailed"),
                of(
                        "pubsub: nothing turns it back",
                        "order-pubsub",
                        without(pubsub, "pubsub-compensate"),
                        "id: order-pubsub\n|- saga",
                        "leads to 'saga:compensate'"),
                of(
                        "without create-order",
                        "order-request-reply",
                        reply.replace("- to: direct:request-reply-create\n              ", ""),
                        "- to: direct:ship-order",
                        "'ship-order' needs 'create-order' before it"),
                of(
                        "choreography: shipped when reserved",
                        "order-choreography",
                        choreography.replace("types: PaymentProcessed", "types: ItemsReserved"),
                        "- to: direct:ship-order",
                        unpaid),
                of(
                        "choreography: nobody refunds",
                        "order-choreography",
                        without(choreography, "choreography-refund"),
                        "- to: direct:process-payment",
                        "nothing undoes the step 'process-payment'"),
                of(
                        "choreography: no refund after a failed shipment",
                        "order-choreography",
                        choreography.replace("types: ShippingFailed,OrderTimedOut", "types: OrderTimedOut"),
                        "- to: direct:process-payment",
                        "when the event ShippingFailed comes"),
                of(
                        "choreography: nobody releases",
                        "order-choreography",
                        without(choreography, "choreography-release"),
                        "- to: direct:reserve-items",
                        "nothing undoes the step 'reserve-items'"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("sound")
    void aSoundEditPasses(String name, String flow, String text) {
        assertThat(faults(flow, text, Map.of())).as(text).isEmpty();
    }

    private static Stream<Arguments> sound() throws IOException {
        String reply = text("order-request-reply");
        String choreography = text("order-choreography");
        String pubsub = text("order-pubsub");
        String refused =
                "logStackTrace: false\n          handled:\n            constant:\n              expression: \"true\"\n\n- route";
        return Stream.of(
                Arguments.of(
                        "a refusal that turns back by a route of its own",
                        "order-pubsub",
                        without(pubsub, "pubsub-compensate")
                                        .replaceFirst(
                                                refused,
                                                refused.replace(
                                                        "\n\n- route",
                                                        "\n          steps:\n            - to: direct:turn-back\n\n- route"))
                                + route("turn-back", "- to: saga:compensate")),
                Arguments.of(
                        "paid before reserved",
                        "order-request-reply",
                        reply.replace(
                                "- to: direct:request-reply-reserve\n              " + PAY,
                                PAY + "              - to: direct:request-reply-reserve\n")),
                Arguments.of(
                        "somebody else keeps the stock",
                        "order-request-reply",
                        reply.replace("- to: direct:reserve-items\n", "- to: http://127.0.0.1:1/reservations\n")
                                .replace("uri: direct:release-items", "uri: http://127.0.0.1:1/releases")),
                Arguments.of(
                        "a compensation of one's own",
                        "order-request-reply",
                        reply.replace("uri: direct:refund-payment", "uri: direct:pay-back")
                                + route("pay-back", "- to: log:undo", "- to: direct:refund-payment")),
                Arguments.of(
                        "one saga that undoes all",
                        "order-express",
                        """
                        - route:
                            from:
                              uri: direct:order-express
                              steps:
                                - saga:
                                    propagation: REQUIRES_NEW
                                    compensation: direct:express-undo
                                    option:
                                      - key: orderId
                                        header: orderId
                                    steps:
                                      - to: direct:create-order
                                      - to: direct:reserve-items
                                      - to: direct:process-payment
                                      - to: direct:ship-order
                        """
                                + route(
                                        "express-undo",
                                        "- to: direct:refund-payment",
                                        "- to: direct:release-items",
                                        "- to: direct:cancel-order")),
                Arguments.of(
                        "a subscriber that waits for what never comes",
                        "order-pubsub",
                        text("order-pubsub").replace("types: ItemsReserved", "types: OrderShipped")),
                Arguments.of(
                        "one route that hears all events",
                        "order-choreography",
                        without(without(choreography, "choreography-payment"), "choreography-shipping") + """
                        - route:
                            id: both
                            from:
                              uri: events:order-events
                              parameters:
                                subscriber: both
                                style: choreography
                                types: ItemsReserved,PaymentProcessed
                              steps:
                                - choice:
                                    when:
                                      - simple: ${header.eventType} == 'ItemsReserved'
                                        steps:
                                          - to: direct:process-payment
                                      - simple: ${header.eventType} == 'PaymentProcessed'
                                        steps:
                                          - to: direct:ship-order
                        """));
    }

    @Test
    void aSagaWithoutAnOrderNeedsAnEndOrATimeout() {
        String job = """
                - route:
                    from:
                      uri: timer:jobs
                      steps:
                        - saga:
                            completionMode: MANUAL
                            steps:
                              - to: log:begun
                """;
        String lapsing = job.replace("completionMode: MANUAL", "completionMode: MANUAL\n            timeout: 20s");
        String ended = job.replace("- to: log:begun", "- to: saga:complete");

        assertThat(faults("jobs", job, Map.of()))
                .singleElement()
                .asString()
                .startsWith("jobs.camel.yaml:" + line(job, "completionMode") + ":29:")
                .contains("nothing ends this saga");
        assertThat(faults("jobs", lapsing, Map.of())).isEmpty();
        assertThat(faults("jobs", ended, Map.of())).isEmpty();
    }

    @Test
    void aFlowIsFollowedIntoOtherFiles() throws IOException {
        String reply = text("order-request-reply");
        String ship = items(reply).stream()
                .filter(item -> item.contains("id: request-reply-ship\n"))
                .findFirst()
                .orElseThrow();
        String rest = without(reply, "request-reply-ship");
        String unpaid = rest.replace(PAY + "              ", "");

        assertThat(faults("order-request-reply", rest, Map.of("ship.camel.yaml", ship)))
                .isEmpty();
        assertThat(faults("order-request-reply", unpaid, Map.of("ship.camel.yaml", ship)))
                .singleElement()
                .asString()
                .contains("'ship-order' needs 'process-payment' before it", "(at ship.camel.yaml:");
        assertThat(faults("ship", ship, Map.of("order-request-reply.camel.yaml", unpaid)))
                .singleElement()
                .asString()
                .startsWith("ship.camel.yaml:" + line(ship, "- to: direct:ship-order") + ":");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http-payment", "jms-payment", "kafka-warehouse", "fraud-check", "big-orders"})
    void theRecipesPass(String recipe) throws IOException {
        String reply = text("order-request-reply");
        String steps = recipe(recipe);
        for (String route : List.of("request-reply-pay", "request-reply-ship")) {
            reply = steps.contains("id: " + route + "\n") ? without(reply, route) : reply;
        }
        if (recipe.equals("fraud-check")) {
            reply = reply.replace(PAY, "- to: direct:request-reply-fraud\n              " + PAY);
        }

        assertThat(faults("order-request-reply", reply + steps, Map.of())).isEmpty();
    }

    private static Arguments of(String name, String flow, String text, String place, String message) {
        return Arguments.of(name, flow, text, place, message);
    }

    /**
     * Returns the line of the last of some texts, each searched after the text before; for a key, the line of the
     * value.
     */
    private static long line(String text, String place) {
        int at = 0;
        for (String each : place.split("\\|")) {
            at = text.indexOf(each, at);
            assertThat(at).as(each).isNotNegative();
            at += each.length();
        }
        boolean isGroup = place.endsWith(":") && text.startsWith("\n", at);
        return text.substring(0, at).lines().count() + (isGroup ? 1 : 0);
    }

    private static String route(String name, String... steps) {
        return "- route:\n    from:\n      uri: direct:" + name + "\n      steps:\n        "
                + String.join("\n        ", steps) + "\n";
    }

    private static String without(String text, String route) {
        return items(text).stream()
                .filter(item -> !item.contains("    id: " + route + "\n"))
                .collect(Collectors.joining("\n"));
    }

    private static List<String> items(String text) {
        return Arrays.stream(text.split("(?m)^(?=- )"))
                .map(item -> item.stripTrailing() + "\n")
                .toList();
    }

    private static String recipe(String name) throws IOException {
        String page = Files.readString(Path.of("docs", "flows.md"));
        int begin = page.indexOf("```yaml\n", page.indexOf("<!-- recipe: " + name + " -->")) + "```yaml\n".length();
        return page.substring(begin, page.indexOf("```", begin));
    }

    private static String text(String flow) throws IOException {
        return Files.readString(ROUTES.resolve(flow + ".camel.yaml"));
    }
}
