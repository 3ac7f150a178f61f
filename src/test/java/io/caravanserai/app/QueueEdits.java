package io.caravanserai.app;

import static io.caravanserai.app.FlowEdits.block;
import static io.caravanserai.app.FlowEdits.route;
import static io.caravanserai.app.FlowEdits.text;
import static io.caravanserai.app.FlowEdits.without;

import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Edits of {@code order-queue} around the payment, each with what comes of it. */
final class QueueEdits {
    private static final String FLOW = "order-queue";
    private static final String PAY = "- to: direct:process-payment\n";
    private static final String REFUND = "- to: direct:refund-payment";
    private static final String UNPAID = "'ship-order' needs 'process-payment' before it";
    private static final String WRONG = "the compensation does not undo the step 'process-payment'";
    private static final String TAKEN = "SHIPPED CAPTURED";
    private static final String GIVEN_BACK = "CANCELLED REFUNDED";
    private static final String NEVER_TAKEN = "CANCELLED NONE";

    private QueueEdits() {}

    /** Name, flow, text, and a part of the refusal. */
    static Stream<Arguments> refused() {
        String flow = text(FLOW);
        return Stream.of(
                refuse(
                        "wrong compensation",
                        flow.replace("uri: direct:refund-payment", "uri: direct:release-items"),
                        WRONG),
                refuse(
                        "no compensation",
                        flow.replaceFirst("            compensation:\n              uri: direct:refund-payment\n", ""),
                        "has no compensation"),
                refuse("the commands do nothing", flow.replace(PAY, "- log: paid\n"), UNPAID),
                refuse("the commands do something else", flow.replace(PAY, "- to: direct:reserve-items\n"), UNPAID),
                refuse("nobody takes the commands", without(flow, "queue-process-payment"), UNPAID),
                refuse(
                        "the answer is success",
                        flow.replaceFirst(
                                "(?s)(direct:process-payment\n.*?)- to: direct:tell-failure", "$1- log: failed"),
                        UNPAID),
                refuse(
                        "the commands are not awaited",
                        flow.replaceFirst(
                                "(?s)- enrich:\n                  expression:\n                    constant:\n                      expression: (jms:queue:order-queue.process-payment)[^\n]*\n                  aggregationStrategy: commandReply",
                                "- to: $1"),
                        UNPAID),
                refuse(
                        "shipped before paid",
                        flow.replace("- to: direct:queue-pay\n", "@")
                                .replace("- to: direct:queue-ship\n", "- to: direct:queue-pay\n")
                                .replace("@", "- to: direct:queue-ship\n"),
                        UNPAID),
                refuse("never paid", flow.replace("              - to: direct:queue-pay\n", ""), UNPAID),
                refuse(
                        "payment in a saga of its own",
                        block(flow, "queue-pay", "MANDATORY", "REQUIRES_NEW"),
                        "in a saga of its own"),
                refuse(
                        "payment in no saga",
                        block(flow, "queue-pay", "MANDATORY", "NOT_SUPPORTED"),
                        "Saga configuration is not allowed"),
                refuse(
                        "refund whose failures the file handles",
                        "- onException: {exception: [java.lang.Exception], handled: {constant: 'true'}}\n"
                                + flow.replace("uri: direct:refund-payment", "uri: direct:give-back")
                                + route("direct:give-back", REFUND),
                        WRONG),
                refuse(
                        "a saga that no failure ends",
                        block(
                                        flow,
                                        "queue-saga",
                                        "propagation: REQUIRES_NEW",
                                        "completionMode: MANUAL\n            propagation: REQUIRES_NEW")
                                .replace(
                                        "- to: direct:queue-ship\n",
                                        "- to: direct:queue-ship\n              - to: saga:complete\n"),
                        "a failed step does not turn this saga back"),
                refuse(
                        "a saga that nothing ends",
                        block(
                                flow,
                                "queue-saga",
                                "propagation: REQUIRES_NEW",
                                "completionMode: MANUAL\n            propagation: REQUIRES_NEW"),
                        "saga:complete"));
    }

    /** Name, flow, text, and how an order ends that is sound, that is not shipped, and whose payment is declined. */
    static Stream<Arguments> accepted() {
        String flow = text(FLOW);
        return Stream.of(
                accept("the shipped flow", flow, TAKEN, GIVEN_BACK, NEVER_TAKEN),
                accept(
                        "payment SUPPORTS",
                        block(flow, "queue-pay", "MANDATORY", "SUPPORTS"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "whole saga NEVER",
                        block(flow, "queue-saga", "REQUIRES_NEW", "NEVER"),
                        NEVER_TAKEN,
                        NEVER_TAKEN,
                        NEVER_TAKEN),
                accept(
                        "a saga that a step ends",
                        block(
                                        flow,
                                        "queue-saga",
                                        "propagation: REQUIRES_NEW",
                                        "completionMode: MANUAL\n            propagation: REQUIRES_NEW")
                                .replace(
                                        "- to: direct:queue-ship\n",
                                        "- to: direct:queue-ship\n              - to: saga:complete\n")
                                .replace(
                                        "            - io.caravanserai.saga.SagaNotRunningException\n",
                                        "            - io.caravanserai.saga.SagaNotRunningException\n          steps:\n            - to: saga:compensate\n"),
                        TAKEN,
                        GIVEN_BACK,
                        NEVER_TAKEN),
                accept(
                        "a refund of one's own",
                        flow.replace("uri: direct:refund-payment", "uri: direct:give-back")
                                + route("direct:give-back", REFUND),
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
