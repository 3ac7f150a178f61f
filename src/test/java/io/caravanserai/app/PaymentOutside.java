package io.caravanserai.app;

import io.caravanserai.order.Style;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The flows of the hub with charges and refunds by an outside HTTP service. */
public final class PaymentOutside {
    private static final String CHARGE = """
            - to:
                uri: kamelet:http-call
                parameters:
                  url: http://127.0.0.1:PORT/charges
                  accept: 200-299,402
                  timeout: TIMEOUT
            - choice:
                when:
                  - expression:
                      simple: ${variable.header:answer.CamelHttpResponseCode} == 402
                    steps:
                      - to: direct:payment-declined
                otherwise:
                  steps:
                    - to: direct:payment-captured
            """;
    private static final String REFUND = """
            - to:
                uri: kamelet:http-call
                parameters:
                  url: http://127.0.0.1:PORT/refunds
                  timeout: TIMEOUT
            """;
    private static final String PAY_BACK = """
            - route:
                id: pay-back
                from:
                  uri: direct:pay-back
                  steps:
            """ + REFUND.indent(8) + "        - to: direct:refund-payment\n";

    private static final String IN_A_SAGA = """
            - route:
                id: PAY
                from:
            FROM
                  steps:
                    - saga:
                        propagation: MANDATORY
                        compensation:
                          uri: direct:pay-back
                        option:
                          - key: orderId
                            expression:
                              header: orderId
                        steps:
            """;

    private PaymentOutside() {}

    /** Copies the flows of the hub to a folder that a test may edit. */
    public static Path copyOfRoutes(Path folder) throws IOException {
        Path routes = Files.createDirectory(folder.resolve("routes"));
        try (Stream<Path> shipped = Files.list(Path.of("src/main/resources/routes"))) {
            for (Path file : shipped.toList()) {
                Files.copy(file, routes.resolve(file.getFileName()));
            }
        }
        return routes;
    }

    /** Returns the flow of a style with the provider on the port. */
    public static String of(Style style, int port, int timeoutMillis) throws IOException {
        String shipped = Files.readString(Path.of("src/main/resources/routes", style.flow() + ".camel.yaml"));
        return edited(style, shipped)
                .replace("pay-back", "pay-back-" + style.wire())
                .replace("PORT", "" + port)
                .replace("TIMEOUT", "" + timeoutMillis);
    }

    private static String edited(Style style, String shipped) throws IOException {
        return switch (style) {
            case REQUEST_REPLY ->
                without(shipped, "request-reply-pay")
                        + saga("request-reply-pay", "      uri: direct:request-reply-pay\n", CHARGE)
                        + PAY_BACK;
            case QUEUE ->
                without(shipped, "queue-process-payment")
                                .replaceAll(
                                        "compensation:\n +uri: direct:refund-payment", "compensation: direct:pay-back")
                        + command()
                        + PAY_BACK;
            case PUBSUB ->
                without(shipped, "pubsub-payment")
                        + saga("pubsub-payment", events("pubsub-payment", "pubsub", "ItemsReserved"), CHARGE)
                        + PAY_BACK;
            case CHOREOGRAPHY ->
                without(shipped, "choreography-payment", "choreography-refund")
                        + route(
                                "choreography-payment",
                                events("choreography-payment", "choreography", "ItemsReserved"),
                                CHARGE)
                        + route(
                                "choreography-refund",
                                // A charge may be uncertain after a failed payment or a timeout of the order.
                                events(
                                        "choreography-refund",
                                        "choreography",
                                        "PaymentFailed,ShippingFailed,OrderTimedOut"),
                                REFUND + "- to: direct:refund-payment\n");
        };
    }

    private static String saga(String id, String from, String steps) {
        return IN_A_SAGA.replace("PAY", id).replace("FROM\n", from) + steps.indent(14);
    }

    private static String route(String id, String from, String steps) {
        return "- route:\n    id: " + id + "\n    from:\n" + from + "      steps:\n" + steps.indent(8);
    }

    private static String events(String subscriber, String style, String types) {
        return "      uri: events:order-events\n      parameters:\n        subscriber: " + subscriber
                + "\n        style: " + style + "\n        types: " + types + "\n";
    }

    private static String command() {
        return route("queue-process-payment", """
                      uri: jms:queue:order-queue.process-payment
                      parameters:
                        transacted: false
                        asyncConsumer: true
                        acknowledgementModeName: DUPS_OK_ACKNOWLEDGE
                        deliveryPersistent: false
                        replyToDeliveryPersistent: false
                """, "- doTry:\n    steps:\n" + CHARGE.indent(6) + """
                    doCatch:
                      - exception:
                          - java.lang.Exception
                        steps:
                          - to: direct:tell-failure
                """);
    }

    private static String without(String text, String... routes) {
        Set<String> ids = Set.of(routes);
        List<String> items = Arrays.asList(text.split("(?m)^(?=- )"));
        return items.stream()
                .filter(item -> ids.stream().noneMatch(id -> item.contains("    id: " + id + "\n")))
                .map(item -> item.stripTrailing() + "\n")
                .collect(Collectors.joining());
    }
}
