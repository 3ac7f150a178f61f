package io.caravanserai.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.flow.deploy.FlowEndedException;
import io.caravanserai.flow.deploy.FlowState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.apache.camel.component.mock.MockEndpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A flow with an endless exchange can be deleted and replaced, and does not block the stop of the context. */
class EndlessFlowIT {
    private static final Duration PROMPTLY = Duration.ofSeconds(10);
    private static final Duration BOUND = Duration.ofSeconds(45);

    /** Endless steps with bounded memory for an exchange. */
    private static final List<String> ENDLESS = List.of(
            "loop: {simple: '${header.none} == null', doWhile: true, steps: [{to: direct:turn}]}",
            "loop: {simple: '${header.none} == null', doWhile: true, steps: [{to: direct:catches}]}",
            "dynamicRouter: {constant: direct:pause}",
            "to: direct:redelivers",
            "to: direct:slow-round",
            "to: direct:slow-list");

    /** Steps that take memory with each turn, which Camel frees only after the last turn. */
    private static final Map<String, String> GROWING = Map.of(
            "dynamicRouter", "dynamicRouter: {constant: direct:turn}",
            "dynamicRouter to a route outside", "dynamicRouter: {constant: direct:service}",
            "direct", "to: direct:round",
            "recipientList", "to: direct:list",
            "routingSlip", "to: direct:slip");

    @TempDir
    private Path folder;

    private FlowHub hub;

    @BeforeEach
    void start() throws Exception {
        hub = new FlowHub(folder).start();
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    static Stream<String> growing() {
        return GROWING.keySet().stream();
    }

    private static String flow(String from, String step) {
        return """
                - route:
                    from:
                      uri: FROM
                      steps:
                        - STEP
                - route:
                    from:
                      uri: direct:turn
                      steps:
                        - setBody: {constant: turn}
                - route:
                    from:
                      uri: direct:pause
                      steps:
                        - delay: {constant: 20}
                - route:
                    from:
                      uri: direct:catches
                      steps:
                        - doTry:
                            steps:
                              - throwException: {exceptionType: java.lang.IllegalStateException, message: broken}
                            doCatch:
                              - exception: [java.lang.Exception]
                                steps:
                                  - delay: {constant: 20}
                - route:
                    errorHandler:
                      defaultErrorHandler:
                        redeliveryPolicy: {maximumRedeliveries: -1, redeliveryDelay: 20, logRetryAttempted: false}
                    from:
                      uri: direct:redelivers
                      steps:
                        - throwException: {exceptionType: java.lang.IllegalStateException, message: broken}
                - route:
                    from:
                      uri: direct:slow-round
                      steps:
                        - delay: {constant: 100}
                        - to: direct:slow-round
                - route:
                    from:
                      uri: direct:slow-list
                      steps:
                        - delay: {constant: 100}
                        - recipientList: {constant: direct:slow-list}
                - route:
                    from:
                      uri: direct:round
                      steps:
                        - to: direct:round
                - route:
                    from:
                      uri: direct:list
                      steps:
                        - recipientList: {constant: direct:list}
                - route:
                    from:
                      uri: direct:slip
                      steps:
                        - routingSlip: {constant: direct:slip}
                """.replace("FROM", from).replace("STEP", step);
    }

    private void startAll() throws Exception {
        for (int i = 0; i < ENDLESS.size(); i++) {
            String text = flow("timer:endless?repeatCount=1&delay=0", ENDLESS.get(i));
            // Two flows cannot have the same names.
            hub.flows.put(file(i), text.replaceAll("(direct|timer):([a-z-]+)", "$1:$2-" + i), "ops");
        }
        await().until(() -> inFlight() >= ENDLESS.size());
    }

    private static String file(int number) {
        return "endless-" + number + ".camel.yaml";
    }

    private int inFlight() {
        return hub.context.getInflightRepository().size();
    }

    private static final String ROUND_BY_SEDA = """
            - route:
                from:
                  uri: timer:start?repeatCount=1&delay=0
                  steps:
                    - to: seda:round
            - route:
                from:
                  uri: seda:round
                  steps:
                    - delay: {constant: 20}
                    - to: seda:round
            """;

    private static final String SLOW = """
            - route:
                from:
                  uri: timer:slow?repeatCount=1&delay=0
                  steps:
                    - delay: {constant: 17000}
                    - setBody: {constant: still there}
                    - to: mock:end
            """;

    @Test
    void deletedFlowEndsLoopingExchangesAndContinuesSlowOnes() throws Exception {
        startAll();
        hub.flows.put("round.camel.yaml", ROUND_BY_SEDA, "ops");
        hub.flows.put("slow.camel.yaml", SLOW, "ops");
        await().until(() -> inFlight() >= ENDLESS.size() + 2);
        // The endpoint would be removed with the last flow that uses the endpoint.
        MockEndpoint end = hub.context.getEndpoint("mock:end", MockEndpoint.class);
        long began = System.nanoTime();

        for (FlowState flow : hub.flows.states().join()) {
            hub.flows.delete(running -> true, flow.file(), "ops");
        }

        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(PROMPTLY);
        await().atMost(BOUND).until(() -> hub.flows.states().join().isEmpty());
        assertThat(inFlight()).isZero();
        assertThat(end.getReceivedCounter()).isEqualTo(1);
    }

    @Test
    void twoCopiesAtEachOfManyLevelsEndTogether() throws Exception {
        hub.flows.put("tree.camel.yaml", """
                - route:
                    from:
                      uri: direct:tree
                      steps:
                        - recipientList: {constant: "direct:tree,direct:tree"}
                """, "ops");

        CompletableFuture<Object> answer = hub.template.asyncRequestBody("direct:tree", "hello");

        assertThat(answer).failsWithin(PROMPTLY).withThrowableThat().withRootCauseInstanceOf(FlowEndedException.class);
    }

    @Test
    void theExchangeOfAReplacedFlowEnds() throws Exception {
        hub.flows.put(file(0), flow("timer:endless?repeatCount=1&delay=0", ENDLESS.get(0)), "ops");
        await().until(() -> inFlight() > 0);

        hub.flows.put(file(0), flow("timer:other?repeatCount=1&delay=0", "to: direct:turn"), "ops");

        await().atMost(BOUND).until(() -> hub.state("endless-0").versions().size() == 1 && inFlight() == 0);
    }

    @Test
    void contextStopsWhileExchangesLoop() throws Exception {
        startAll();
        long began = System.nanoTime();

        hub.flows.close();
        hub.context.stop();

        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(PROMPTLY);
    }

    @ParameterizedTest
    @MethodSource("growing")
    void anExchangeThatTakesMoreMemoryWithEachTurnFails(String name) throws Exception {
        hub.flows.put("endless.camel.yaml", flow("direct:endless", GROWING.get(name)), "ops");

        CompletableFuture<Object> answer = hub.template.asyncRequestBody("direct:endless", "hello");

        assertThat(answer).failsWithin(PROMPTLY).withThrowableThat().withRootCauseInstanceOf(FlowEndedException.class);
    }
}
