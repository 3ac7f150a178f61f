package io.caravanserai.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Edits around the payment of a flow of the hub, with the expected result. */
final class PaymentEdits {
    static final Path FLOW = Path.of("src/main/resources/routes/order-request-reply.camel.yaml");
    private static final String CALL = "- to: direct:request-reply-pay\n";
    private static final String PAY = "- to: direct:process-payment\n";
    private static final String SHIP = "- to: direct:ship-order\n";
    private static final String REFUND = "{to: 'direct:refund-payment'}";

    private static final String UNPAID = "'ship-order' needs 'process-payment' before it";
    private static final String KEPT = "it must lead to 'direct:refund-payment' on each way, and wait for it";
    private static final String IN_ALL_FLOWS = "in all flows, and stay when this one is edited or deleted";

    private static final String TAKEN = "SHIPPED CAPTURED";
    private static final String GIVEN_BACK = "CANCELLED REFUNDED";
    private static final String NEVER_TAKEN = "CANCELLED NONE";

    private PaymentEdits() {}

    /** Name, text, and a part of the refusal. */
    static Stream<Arguments> refused() throws IOException {
        String flow = Files.readString(FLOW);
        return Stream.of(
                edit(
                        "payment by a wire tap",
                        flow.replace(PAY, "- wireTap: {uri: 'direct:process-payment'}\n"),
                        UNPAID),
                edit(
                        "its route by a wire tap",
                        flow.replace(CALL, "- wireTap: {uri: 'direct:request-reply-pay'}\n"),
                        UNPAID),
                edit(
                        "payment by a filter",
                        flow.replace(
                                CALL,
                                "- filter: {simple: '${header.vip} != null', steps: [{to: 'direct:request-reply-pay'}]}\n"),
                        UNPAID),
                edit(
                        "a failure that is swallowed",
                        flow.replace(
                                PAY,
                                "- doTry: {steps: [{to: 'direct:process-payment'}], doCatch: [{exception: [java.lang.Exception], steps: [{log: a}]}]}\n"),
                        UNPAID),
                edit(
                        "a fallback in place of the payment",
                        flow.replace(
                                PAY,
                                "- circuitBreaker: {steps: [{to: 'direct:process-payment'}], onFallback: {steps: [{log: a}]}}\n"),
                        UNPAID),
                edit(
                        "payment by a queue",
                        flow.replace(PAY, "- to: seda:later\n") + route("seda:later", PAY.strip()),
                        UNPAID),
                edit(
                        "payment by a name put together",
                        flow.replace(PAY, "- toD: direct:process-${header.what}\n"),
                        UNPAID),
                edit(
                        "payment disabled",
                        flow.replace(PAY, "- to: {uri: direct:process-payment, disabled: true}\n"),
                        UNPAID),
                edit(
                        "its route disabled",
                        flow.replace(CALL, "- to: {uri: direct:request-reply-pay, disabled: true}\n"),
                        UNPAID),
                edit(
                        "its saga disabled",
                        pay(flow, "propagation: M", "disabled: true\n            propagation: M"),
                        UNPAID),
                edit("payment twice", flow.replace(PAY, PAY + at(14, PAY)), "is done before on each way"),
                edit("a saga of its own", pay(flow, "MANDATORY", "REQUIRES_NEW"), "in a saga of its own"),
                edit("no saga of any", pay(flow, "MANDATORY", "NOT_SUPPORTED"), "Saga configuration is not allowed"),
                edit("no name of the order", pay(flow, "- key: orderId", "- key: order"), "cannot tell its order"),
                edit("payment intercepted", intercept("direct:process-payment") + flow, IN_ALL_FLOWS),
                edit("its route intercepted", intercept("direct:request-reply-pay*") + flow, IN_ALL_FLOWS),
                edit("refund intercepted", intercept("direct:refund-.*") + flow, IN_ALL_FLOWS),
                edit("all intercepted", intercept("*") + flow, IN_ALL_FLOWS),
                edit(
                        "stopped by an interceptor",
                        "- intercept:\n    steps:\n      - stop: {}\n" + flow,
                        "'stop' in an interceptor"),
                edit(
                        "service of the hub replaced",
                        flow + route("direct:refund-payment", "- log: a"),
                        "served by the hub"),
                edit("refund mentioned in a log", back(flow, "- log: direct:refund-payment"), KEPT),
                edit("refund disabled", back(flow, "- to: {uri: 'direct:refund-payment', disabled: true}"), KEPT),
                edit(
                        "refund by a filter",
                        back(flow, "- filter: {simple: '${header.vip} != null', steps: [" + REFUND + "]}"),
                        KEPT),
                edit(
                        "refund by a choice",
                        back(flow, "- choice: {when: [{simple: '${header.vip} != null', steps: [" + REFUND + "]}]}"),
                        KEPT),
                edit(
                        "refund whose failure is swallowed",
                        back(
                                flow,
                                "- doTry: {steps: [" + REFUND
                                        + "], doCatch: [{exception: [java.lang.Exception], steps: [{log: a}]}]}"),
                        KEPT),
                edit("refund by a wire tap", back(flow, "- wireTap: {uri: 'direct:refund-payment'}"), KEPT),
                edit("refund behind a stop", back(flow, "- stop: {}", "- to: direct:refund-payment"), KEPT),
                edit(
                        "refund stopped now and then",
                        back(
                                flow,
                                "- filter: {simple: '${header.vip} == null', steps: [{stop: {}}]}",
                                "- to: direct:refund-payment"),
                        KEPT),
                edit(
                        "refund by a queue",
                        back(flow, "- to: seda:refunds") + route("seda:refunds", "- to: direct:refund-payment"),
                        KEPT),
                edit(
                        "refund in a split of nothing",
                        back(flow, "- split: {simple: '${body}', steps: [" + REFUND + "]}"),
                        KEPT),
                edit("refund in a loop of none", back(flow, "- loop: {constant: 0, steps: [" + REFUND + "]}"), KEPT),
                edit(
                        "refund once for all orders",
                        back(
                                flow,
                                "- idempotentConsumer: {constant: all, idempotentRepository: once, steps: [" + REFUND
                                        + "]}"),
                        KEPT),
                edit(
                        "refund whose failures the file handles",
                        handler("java.lang.Exception", "handled", "- log: a")
                                + back(flow, "- to: direct:refund-payment"),
                        KEPT),
                edit(
                        "refund whose failures the file goes on from",
                        handler("java.sql.SQLException", "continued", "- log: a")
                                + back(flow, "- to: direct:refund-payment"),
                        KEPT),
                edit(
                        "refund whose failures go to a dead letter channel",
                        "- errorHandler: {deadLetterChannel: {deadLetterUri: 'log:dead'}}\n"
                                + back(flow, "- to: direct:refund-payment"),
                        KEPT),
                edit(
                        "refund by a circuit breaker that goes on when it is open",
                        back(flow, "- circuitBreaker: {steps: [" + REFUND + "]}"),
                        KEPT),
                edit(
                        "refund whose failure a strategy may drop",
                        back(
                                flow,
                                "- multicast: {aggregationStrategy: '#class:org.apache.camel.processor.aggregate.UseOriginalAggregationStrategy', steps: ["
                                        + REFUND + ", {log: a}]}"),
                        KEPT),
                edit(
                        "a saga that nothing ends",
                        flow.replace(
                                "propagation: REQUIRES_NEW",
                                "completionMode: MANUAL\n            propagation: REQUIRES_NEW"),
                        "nothing ends this saga"),
                edit(
                        "refund once with the key of another step",
                        once(flow, "{header: orderId}", "{simple: '${header.orderId}'}"),
                        KEPT),
                edit("refund by a name put together", back(flow, "- toD: direct:${header.what}"), KEPT),
                edit(
                        "refund by one of two names",
                        back(flow, "- toD: \"${iif(${header.vip} != null, 'direct:refund-payment', 'log:a')}\""),
                        KEPT));
    }

    /**
     * Name, text, and the end of a valid order, of an order that cannot be shipped, and of an order with a declined
     * payment.
     */
    static Stream<Arguments> accepted() throws IOException {
        String flow = Files.readString(FLOW);
        return Stream.of(
                edit("the shipped flow", flow, TAKEN, GIVEN_BACK, NEVER_TAKEN),
                edit(
                        "option of another order",
                        pay(flow, "header: orderId", "constant: other"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit("goes on after a refusal", onException(flow, "continued"), TAKEN, GIVEN_BACK, NEVER_TAKEN),
                edit("a refusal is handled", onException(flow, "handled"), TAKEN, GIVEN_BACK, NEVER_TAKEN),
                edit("SUPPORTS", pay(flow, "MANDATORY", "SUPPORTS"), TAKEN, GIVEN_BACK, NEVER_TAKEN),
                edit(
                        "whole saga NEVER",
                        flow.replace("propagation: REQUIRES_NEW", "propagation: NEVER"),
                        NEVER_TAKEN,
                        NEVER_TAKEN,
                        NEVER_TAKEN),
                edit(
                        "saga header removed",
                        pay(flow, PAY, "- removeHeaders: '*'\n" + at(14, PAY)),
                        NEVER_TAKEN,
                        NEVER_TAKEN,
                        NEVER_TAKEN),
                edit(
                        "body of another",
                        flow.replace(PAY, "- setBody: {constant: '{}'}\n" + at(14, PAY)),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "refund as a step",
                        flow.replace(CALL, CALL + at(14, "- to: direct:refund-payment\n")),
                        GIVEN_BACK,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "turned back as a step",
                        flow.replace(CALL, CALL + at(14, "- to: saga:compensate\n")),
                        GIVEN_BACK,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "completed before it ships",
                        flow.replace(CALL, CALL + at(14, "- to: saga:complete\n")),
                        GIVEN_BACK,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "never shipped",
                        flow.replace(at(14, "- to: direct:request-reply-ship\n"), ""),
                        GIVEN_BACK,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "stopped behind the payment",
                        flow.replace(PAY, PAY + at(14, "- stop: {}\n")),
                        GIVEN_BACK,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "refund behind the shipment",
                        flow.replace(SHIP, SHIP + at(14, "- to: direct:refund-payment\n")),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "refund twice",
                        back(flow, "- to: direct:refund-payment", "- to: direct:refund-payment"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "refund once an order",
                        back(
                                flow,
                                "- idempotentConsumer: {expression: {header: orderId}, idempotentRepository: once, steps: ["
                                        + REFUND + "]}"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "refund and another step once with a key each",
                        once(flow, "{simple: 'refund:${header.orderId}'}", "{simple: 'noted:${header.orderId}'}"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "refund whose failure fails",
                        back(
                                flow,
                                "- doTry: {steps: [" + REFUND
                                        + "], doCatch: [{exception: [java.lang.Exception], steps: [{throwException: {exceptionType: java.lang.IllegalStateException, message: again}}]}]}"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "refund that has come too late is handled",
                        handler("io.caravanserai.service.OrderClosedException", "handled", "- log: a")
                                + back(flow, "- to: direct:refund-payment"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "refund that is not given up",
                        handler("java.io.IOException", "handled", "- to: direct:give-up")
                                + back(flow, "- to: direct:refund-payment"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "refund by a circuit breaker that throws when it is open",
                        back(
                                flow,
                                "- circuitBreaker: {resilience4jConfiguration: {throwExceptionWhenHalfOpenOrOpenState: true}, steps: ["
                                        + REFUND + "]}"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "refund in parallel with another step",
                        back(flow, "- multicast: {parallelProcessing: true, steps: [" + REFUND + ", {log: a}]}"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "refund delayed",
                        back(flow, "- delay: {constant: 50, asyncDelayed: true}", "- to: direct:refund-payment"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                edit(
                        "refund of another order",
                        back(flow, "- setHeader: {name: orderId, constant: other}", "- to: direct:refund-payment"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN));
    }

    private static Arguments edit(String name, String text, String... expected) {
        return expected.length == 1
                ? Arguments.of(name, text, expected[0])
                : Arguments.of(name, text, expected[0], expected[1], expected[2]);
    }

    private static String at(int indent, String step) {
        return " ".repeat(indent) + step;
    }

    /** Changes only the route of the payment. */
    private static String pay(String flow, String from, String to) {
        int begin = flow.indexOf("    id: request-reply-pay\n");
        int end = flow.indexOf("    id: request-reply-ship\n");
        return flow.substring(0, begin) + flow.substring(begin, end).replace(from, to) + flow.substring(end);
    }

    private static String onException(String flow, String what) {
        String last = "            - io.caravanserai.saga.SagaNotRunningException\n";
        return flow.replace(last, last + "          " + what + ":\n            constant: \"true\"\n");
    }

    private static String once(String flow, String ofRefund, String ofAnother) {
        String step = "- idempotentConsumer: {idempotentRepository: once, expression: ";
        return back(flow, step + ofRefund + ", steps: [" + REFUND + "]}")
                .replace(CALL, step + ofAnother + ", steps: [{log: a}]}\n" + at(14, CALL));
    }

    private static String handler(String exception, String how, String step) {
        return "- onException: {exception: [" + exception + "], " + how + ": {constant: 'true'}, steps: [{"
                + step.substring("- ".length()) + "}]}\n";
    }

    private static String intercept(String pattern) {
        return "- interceptSendToEndpoint: {uri: '" + pattern
                + "', skipSendToOriginalEndpoint: true, steps: [{log: a}]}\n";
    }

    private static String back(String flow, String... steps) {
        return pay(flow, "uri: direct:refund-payment", "uri: direct:back") + route("direct:back", steps);
    }

    private static String route(String uri, String... steps) {
        return "\n- route:\n    from:\n      uri: " + uri + "\n      steps:\n        "
                + String.join("\n        ", steps) + "\n";
    }
}
