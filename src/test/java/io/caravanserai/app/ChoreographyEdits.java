package io.caravanserai.app;

import static io.caravanserai.app.FlowEdits.block;
import static io.caravanserai.app.FlowEdits.route;
import static io.caravanserai.app.FlowEdits.text;
import static io.caravanserai.app.FlowEdits.without;

import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Edits of {@code order-choreography} around the payment, each with what comes of it. */
final class ChoreographyEdits {
    private static final String FLOW = "order-choreography";
    private static final String PAY = "- to: direct:process-payment\n";
    private static final String REFUND = "- to: direct:refund-payment";
    private static final String REFUND_STEP = "{to: 'direct:refund-payment'}";
    private static final String RELEASE = "- to: direct:release-items";
    private static final String WHEN_PAID =
            "\"${header.eventType} == 'ShippingFailed' || ${header.orderStatus} == 'PAID'\"";
    private static final String ON_REFUND = "types: ShippingFailed,OrderTimedOut";
    private static final String ON_RELEASE = "types: PaymentRefunded,PaymentFailed,OrderTimedOut";
    private static final String UNPAID = "'ship-order' needs 'process-payment' before it";
    private static final String KEPT = "nothing undoes the step 'process-payment' when the event ";
    private static final String GOODS_KEPT = "nothing undoes the step 'reserve-items' when the event ";
    private static final String TAKEN = "SHIPPED CAPTURED";
    private static final String GIVEN_BACK = "CANCELLED REFUNDED";
    private static final String NEVER_TAKEN = "CANCELLED NONE";

    private ChoreographyEdits() {}

    /** Name, flow, text, and a part of the refusal. */
    static Stream<Arguments> refused() {
        String flow = text(FLOW);
        String disabled = "- to: {uri: 'direct:refund-payment', disabled: true}";
        return Stream.of(
                refuse("refund by a condition that never holds", flow.replace(WHEN_PAID, "'false'"), KEPT),
                refuse("refund by a condition on another", flow.replace(WHEN_PAID, "\"${header.vip} != null\""), KEPT),
                refuse(
                        "refund after the deadline alone",
                        flow.replace(WHEN_PAID, "\"${header.orderStatus} == 'PAID'\""),
                        KEPT + "ShippingFailed"),
                refuse(
                        "refund of the wrong status",
                        flow.replace(
                                WHEN_PAID,
                                "\"${header.eventType} == 'ShippingFailed' || ${header.orderStatus} == 'RESERVED'\""),
                        KEPT + "OrderTimedOut"),
                refuse(
                        "refund after a failed shipment alone",
                        flow.replace(ON_REFUND, "types: ShippingFailed"),
                        KEPT + "OrderTimedOut"),
                refuse("refund disabled", flow.replace(REFUND, disabled), KEPT),
                refuse("refund deleted", flow.replace(REFUND, "- log: refund"), KEPT),
                refuse(
                        "its filter disabled",
                        refund(flow, "- filter:\n", "- filter:\n            disabled: true\n"),
                        KEPT),
                refuse("refund replaced by the release", flow.replace(REFUND, RELEASE), KEPT),
                refuse("refund by a wire tap", flow.replace(REFUND, "- wireTap: {uri: 'direct:refund-payment'}"), KEPT),
                refuse(
                        "refund by a choice",
                        flow.replace(
                                REFUND,
                                "- choice: {when: [{simple: '${header.vip} != null', steps: [" + REFUND_STEP + "]}]}"),
                        KEPT),
                refuse(
                        "refund in a split",
                        flow.replace(REFUND, "- split: {simple: '${body[no]}', steps: [" + REFUND_STEP + "]}"),
                        KEPT),
                refuse(
                        "refund in a loop of none",
                        flow.replace(REFUND, "- loop: {constant: 0, steps: [" + REFUND_STEP + "]}"),
                        KEPT),
                refuse(
                        "refund whose failure is swallowed",
                        flow.replace(
                                REFUND,
                                "- doTry: {steps: [" + REFUND_STEP
                                        + "], doCatch: [{exception: [java.lang.Exception], steps: [{log: a}]}]}"),
                        KEPT),
                refuse(
                        "refund by a queue",
                        flow.replace(REFUND, "- to: seda:refunds") + route("seda:refunds", REFUND),
                        KEPT),
                refuse(
                        "refund in a route that filters",
                        flow.replace(REFUND, "- to: direct:give-back")
                                + route(
                                        "direct:give-back",
                                        "- filter: {constant: 'false', steps: [" + REFUND_STEP + "]}"),
                        KEPT),
                refuse(
                        "refund by a name put together",
                        flow.replace(REFUND, "- toD: direct:refund-${header.what}"),
                        KEPT),
                refuse("refund behind a stop", refund(flow, "- filter:\n", "- stop: {}\n        - filter:\n"), KEPT),
                refuse(
                        "refund after one of two events, release after both",
                        flow.replace(ON_REFUND, "types: OrderTimedOut")
                                .replace(
                                        ON_RELEASE,
                                        "types: PaymentRefunded,PaymentFailed,ShippingFailed,OrderTimedOut"),
                        KEPT + "ShippingFailed"),
                refuse(
                        "cancelled at once when not shipped",
                        flow.replace(ON_REFUND, "types: OrderTimedOut")
                                .replace(
                                        "types: ItemsReleased,ReservationFailed,OrderTimedOut",
                                        "types: ItemsReleased,ReservationFailed,ShippingFailed,OrderTimedOut"),
                        KEPT + "ShippingFailed"),
                refuse(
                        "a refund of nothing as the way to the release",
                        flow.replace(ON_REFUND, "types: ShippingFailed,PaymentFailed,OrderTimedOut")
                                .replace(
                                        "'ShippingFailed' ||",
                                        "'ShippingFailed' || ${header.eventType} == 'PaymentFailed' ||")
                                .replace(ON_RELEASE, "types: PaymentRefunded,OrderTimedOut"),
                        GOODS_KEPT + "PaymentFailed"),
                refuse(
                        "released after the deadline of no status",
                        flow.replace("${header.orderStatus} == 'RESERVED'", "${header.orderStatus} == 'CREATED'"),
                        GOODS_KEPT + "OrderTimedOut"),
                refuse(
                        "refund whose failures the file handles",
                        flow.replace(
                                "            - io.caravanserai.service.StepRefusedException\n",
                                "            - io.caravanserai.service.StepRefusedException\n            - java.lang.Exception\n"),
                        KEPT),
                refuse(
                        "refund whose failures the file goes on from",
                        "- onException: {exception: [java.sql.SQLException], continued: {constant: 'true'}}\n" + flow,
                        KEPT),
                refuse(
                        "refund whose failures go to a dead letter channel",
                        flow.replace(
                                "    id: choreography-refund\n",
                                "    id: choreography-refund\n    errorHandler: {deadLetterChannel: {deadLetterUri: 'log:dead'}}\n"),
                        KEPT),
                refuse(
                        "refund of another order",
                        flow.replace(REFUND, "- setHeader: {name: orderId, constant: other}\n              " + REFUND),
                        KEPT),
                refuse(
                        "its condition on what is removed",
                        refund(flow, "        - filter:\n", "        - removeHeaders: event*\n        - filter:\n"),
                        KEPT),
                refuse(
                        "refund in a multicast that runs out of time",
                        flow.replace(
                                REFUND,
                                "- multicast: {parallelProcessing: true, timeout: 1, steps: [" + REFUND_STEP + "]}"),
                        KEPT),
                refuse(
                        "refund by a circuit breaker",
                        flow.replace(REFUND, "- circuitBreaker: {steps: [" + REFUND_STEP + "]}"),
                        KEPT),
                refuse("refund of another style", refund(flow, "style: choreography", "style: pubsub"), KEPT),
                refuse(
                        "shipped when reserved",
                        flow.replace("types: PaymentProcessed", "types: ItemsReserved"),
                        UNPAID),
                refuse(
                        "shipped when reserved or paid",
                        flow.replace("types: PaymentProcessed", "types: ItemsReserved,PaymentProcessed"),
                        UNPAID),
                refuse("shipped by whatever comes", flow.replace("        types: PaymentProcessed\n", ""), UNPAID),
                refuse(
                        "shipped beside the payment",
                        flow.replace(
                                PAY,
                                "- multicast: {steps: [{to: 'direct:process-payment'}, {to: 'direct:ship-order'}]}\n"),
                        UNPAID));
    }

    /** Name, flow, text, and how an order ends that is sound, that is not shipped, and whose payment is declined. */
    static Stream<Arguments> accepted() {
        String flow = text(FLOW);
        return Stream.of(
                accept("the shipped flow", flow, TAKEN, GIVEN_BACK, NEVER_TAKEN),
                accept(
                        "refund without a condition",
                        refund(
                                flow,
                                "        - filter:\n            expression:\n              simple:\n                expression: "
                                        + WHEN_PAID + "\n            steps:\n              " + REFUND,
                                "        " + REFUND),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "refund after any failure of a later step",
                        flow.replace(ON_REFUND, "types: PaymentFailed,ShippingFailed,OrderTimedOut")
                                .replace(WHEN_PAID, "'true'"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "refund by a list of events",
                        flow.replace(WHEN_PAID, "\"${header.eventType} in 'ShippingFailed,OrderTimedOut'\""),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "refund on each way of a choice",
                        flow.replace(
                                REFUND,
                                "- choice: {when: [{simple: '${header.vip} != null', steps: [{log: vip}, " + REFUND_STEP
                                        + "]}], otherwise: {steps: [" + REFUND_STEP + "]}}"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "refund in another route",
                        flow.replace(REFUND, "- to: direct:give-back")
                                + route("direct:give-back", "- delay: {constant: 20}", REFUND),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "refund by two routes",
                        refund(flow, ON_REFUND, "types: ShippingFailed")
                                + "\n- route:\n    from:\n      uri: events:order-events\n      parameters:\n        subscriber: choreography-late\n        style: choreography\n        types: OrderTimedOut\n      steps:\n        "
                                + REFUND + "\n",
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "refund whose failure fails",
                        flow.replace(
                                REFUND,
                                "- doTry: {steps: [" + REFUND_STEP
                                        + "], doCatch: [{exception: [java.lang.Exception], steps: [{throwException: {exceptionType: java.lang.IllegalStateException, message: again}}]}]}"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "one route that undoes all",
                        without(without(flow, "choreography-release"), "choreography-cancel")
                                .replace(
                                        ON_REFUND,
                                        "types: ReservationFailed,PaymentFailed,ShippingFailed,OrderTimedOut")
                                .replace(WHEN_PAID, "'true'")
                                .replace(
                                        REFUND,
                                        REFUND + "\n              " + RELEASE
                                                + "\n              - to: direct:cancel-order"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "paid before reserved",
                        flow.replace("types: ItemsReserved", "types: @")
                                .replace("types: OrderCreated", "types: PaymentProcessed")
                                .replace(
                                        "types: PaymentProcessed\n      steps:\n        - to: direct:ship",
                                        "types: ItemsReserved\n      steps:\n        - to: direct:ship")
                                .replace("types: @", "types: OrderCreated")
                                .replace(ON_REFUND, "types: ReservationFailed,ShippingFailed,OrderTimedOut")
                                .replace(
                                        "'ShippingFailed' ||",
                                        "'ShippingFailed' || ${header.eventType} == 'ReservationFailed' ||")
                                .replace(
                                        "types: ItemsReleased,ReservationFailed,OrderTimedOut",
                                        "types: ItemsReleased,PaymentFailed,PaymentRefunded,OrderTimedOut")
                                .replace(
                                        "'OrderTimedOut' || ${header.orderStatus} == 'CREATED'",
                                        "'OrderTimedOut' || ${header.orderStatus} == 'CREATED'"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN));
    }

    private static String refund(String flow, String from, String to) {
        return block(flow, "choreography-refund", from, to);
    }

    private static Arguments refuse(String name, String text, String message) {
        return Arguments.of(name, FLOW, text, message);
    }

    private static Arguments accept(String name, String text, String good, String notShipped, String declined) {
        return Arguments.of(name, FLOW, text, good, notShipped, declined);
    }
}
