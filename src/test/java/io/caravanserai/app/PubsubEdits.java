package io.caravanserai.app;

import static io.caravanserai.app.FlowEdits.block;
import static io.caravanserai.app.FlowEdits.route;
import static io.caravanserai.app.FlowEdits.text;
import static io.caravanserai.app.FlowEdits.without;

import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Edits of {@code order-pubsub} around the payment, each with what comes of it. */
final class PubsubEdits {
    private static final String FLOW = "order-pubsub";
    private static final String REFUND = "- to: direct:refund-payment";
    private static final String REFUND_STEP = "{to: 'direct:refund-payment'}";
    private static final String UNPAID = "'ship-order' needs 'process-payment' before it";
    private static final String WRONG = "the compensation does not undo the step 'process-payment'";
    private static final String TAKEN = "SHIPPED CAPTURED";
    private static final String GIVEN_BACK = "CANCELLED REFUNDED";
    private static final String NEVER_TAKEN = "CANCELLED NONE";

    private PubsubEdits() {}

    /** Name, flow, text, and a part of the refusal. */
    static Stream<Arguments> refused() {
        String flow = text(FLOW);
        return Stream.of(
                refuse(
                        "no compensation",
                        flow.replaceFirst("            compensation:\n              uri: direct:refund-payment\n", ""),
                        "has no compensation"),
                refuse(
                        "wrong compensation",
                        flow.replace("uri: direct:refund-payment", "uri: direct:release-items"),
                        WRONG),
                refuse(
                        "payment in no saga",
                        block(flow, "pubsub-payment", "MANDATORY", "NOT_SUPPORTED"),
                        "Saga configuration is not allowed"),
                refuse(
                        "payment in a saga of its own",
                        block(flow, "pubsub-payment", "MANDATORY", "REQUIRES_NEW"),
                        "in a saga of its own"),
                refuse("payment in no saga of the order", block(flow, "pubsub-payment", "MANDATORY", "NEVER"), "NEVER"),
                refuse("order in no saga", block(flow, "order-pubsub", "REQUIRES_NEW", "NEVER"), "NEVER"),
                refuse("nothing completes the saga", without(flow, "pubsub-complete"), "saga:complete"),
                refuse(
                        "completed when it is to turn back",
                        block(flow, "pubsub-compensate", "saga:compensate", "saga:complete"),
                        "saga:compensate"),
                refuse(
                        "turned back by a condition that never holds",
                        block(
                                flow,
                                "pubsub-compensate",
                                "- to: saga:compensate",
                                "- filter: {constant: 'false', steps: [{to: 'saga:compensate'}]}"),
                        "saga:compensate"),
                refuse(
                        "turning back disabled",
                        block(
                                flow,
                                "pubsub-compensate",
                                "- to: saga:compensate",
                                "- to: {uri: 'saga:compensate', disabled: true}"),
                        "saga:compensate"),
                refuse(
                        "shipped when reserved",
                        flow.replace("types: PaymentProcessed", "types: ItemsReserved"),
                        UNPAID),
                refuse("shipped by whatever comes", flow.replace("        types: PaymentProcessed\n", ""), UNPAID),
                refuse(
                        "shipped when not paid",
                        flow.replace("types: PaymentProcessed", "types: PaymentFailed"),
                        UNPAID),
                refuse(
                        "refund whose failures the file handles",
                        flow.replace("uri: direct:refund-payment", "uri: direct:give-back")
                                        .replace(
                                                "            - io.caravanserai.service.StepRefusedException\n",
                                                "            - io.caravanserai.service.StepRefusedException\n            - java.lang.Exception\n")
                                + route("direct:give-back", REFUND),
                        WRONG),
                refuse(
                        "refund whose failures the file goes on from",
                        "- onException: {exception: [java.lang.Exception], continued: {constant: 'true'}}\n"
                                + flow.replace("uri: direct:refund-payment", "uri: direct:give-back")
                                + route("direct:give-back", REFUND),
                        WRONG),
                refuse(
                        "refund whose failures go to a dead letter channel",
                        flow.replace("uri: direct:refund-payment", "uri: direct:give-back")
                                + route("direct:give-back", REFUND)
                                        .replace(
                                                "- route:\n",
                                                "- route:\n    errorHandler: {deadLetterChannel: {deadLetterUri: 'log:dead'}}\n"),
                        WRONG),
                refuse(
                        "refund by a circuit breaker",
                        flow.replace("uri: direct:refund-payment", "uri: direct:give-back")
                                + route("direct:give-back", "- circuitBreaker: {steps: [" + REFUND_STEP + "]}"),
                        WRONG));
    }

    /** Name, flow, text, and how an order ends that is sound, that is not shipped, and whose payment is declined. */
    static Stream<Arguments> accepted() {
        String flow = text(FLOW);
        String own = flow.replace("uri: direct:refund-payment", "uri: direct:give-back");
        return Stream.of(
                accept("the shipped flow", flow, TAKEN, GIVEN_BACK, NEVER_TAKEN),
                accept(
                        "payment SUPPORTS",
                        block(flow, "pubsub-payment", "MANDATORY", "SUPPORTS"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "payment REQUIRED",
                        block(flow, "pubsub-payment", "MANDATORY", "REQUIRED"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "a refund of one's own",
                        own + route("direct:give-back", REFUND),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "a refund of one's own that is given up again and again",
                        own.replace(
                                        "            - io.caravanserai.service.ServiceUnavailableException\n",
                                        "            - io.caravanserai.service.ServiceUnavailableException\n            - java.io.IOException\n")
                                + route("direct:give-back", REFUND),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "one route that ends the saga",
                        without(flow, "pubsub-compensate")
                                .replace(
                                        "types: OrderShipped",
                                        "types: OrderShipped,ReservationFailed,PaymentFailed,ShippingFailed,OrderTimedOut")
                                .replace(
                                        "- to: saga:complete",
                                        "- choice: {when: [{simple: \"${header.eventType} == 'OrderShipped'\", steps: [{to: 'saga:complete'}]}], otherwise: {steps: [{to: 'saga:compensate'}]}}"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "payment without its saga",
                        block(
                                flow,
                                "pubsub-payment",
                                "propagation: MANDATORY",
                                "disabled: true\n            propagation: MANDATORY"),
                        NEVER_TAKEN,
                        NEVER_TAKEN,
                        NEVER_TAKEN),
                accept(
                        "order's saga completes at once",
                        flow.replace("            completionMode: MANUAL\n", ""),
                        NEVER_TAKEN,
                        NEVER_TAKEN,
                        NEVER_TAKEN),
                accept(
                        "completed when paid",
                        block(flow, "pubsub-complete", "types: OrderShipped", "types: PaymentProcessed"),
                        GIVEN_BACK,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "completed by whatever comes",
                        block(flow, "pubsub-complete", "        types: OrderShipped\n", ""),
                        NEVER_TAKEN,
                        NEVER_TAKEN,
                        NEVER_TAKEN),
                accept(
                        "completed where it is shipped",
                        without(flow, "pubsub-complete")
                                .replace(
                                        "- to: direct:ship-order",
                                        "- to: direct:ship-order\n              - to: saga:complete"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN));
    }

    private static Arguments refuse(String name, String text, String message) {
        return Arguments.of(name, FLOW, text, message);
    }

    private static Arguments accept(String name, String text, String good, String notShipped, String declined) {
        return Arguments.of(name, FLOW, text, good, notShipped, declined);
    }
}
