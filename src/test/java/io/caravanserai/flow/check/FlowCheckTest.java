package io.caravanserai.flow.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Kamelets;
import io.caravanserai.flow.yaml.Nodes;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.camel.component.stub.StubComponent;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.processor.idempotent.MemoryIdempotentRepository;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class FlowCheckTest {
    private static DefaultCamelContext hub;

    @BeforeAll
    static void startHub() {
        hub = new DefaultCamelContext();
        hub.getRegistry().bind("fraudScore", new StringBuilder("a bean"));
        hub.start();
    }

    @AfterAll
    static void stopHub() {
        hub.stop();
    }

    private static List<Fault> check(String text) {
        CheckContext around = new CheckContext(
                hub,
                Kamelets.of(hub),
                Set.of("direct:reserve-items", "direct:release-items", "direct:ship-order"),
                Map.of("direct:audit", "audit.camel.yaml"),
                Map.of("audit", "audit.camel.yaml", "inventory", ""),
                Map.of(
                        "audit.camel.yaml",
                        HttpIngress.in(Nodes.parse("a", "- from: {uri: 'platform-http:/audits/{id}'}")
                                .orElseThrow())),
                Map.of(),
                Map.of());
        return FlowCheck.check("order-x.camel.yaml", text, around);
    }

    @Test
    void aFlowWithoutFaultPasses() {
        assertThat(check("""
                        - route:
                            id: order-x
                            from:
                              uri: direct:order-x
                              steps:
                                - saga:
                                    propagation: REQUIRES_NEW
                                    compensation: direct:release-items
                                    option:
                                      - key: orderId
                                        simple: ${header.orderId}
                                    steps:
                                      - to:
                                          uri: direct:reserve-items
                                      - bean:
                                          ref: fraudScore
                                          method: length
                                      - to: direct:audit
                                - setBody:
                                    constant: 5
                                - delay:
                                    constant: 1
                                - toD: direct:${header.next}
                                - to:
                                    uri: seda
                                    parameters:
                                      name: later
                                      size: 10
                        """)).isEmpty();
    }

    @Test
    void aRouteConfigurationIsNamedAsCamelMatchesNames() {
        assertThat(List.of("caught", "caug*", "caught,cau.+t"))
                .allSatisfy(id -> assertThat(check(configured(id))).isEmpty());
        String everyRoute = configured("").replace("    routeConfigurationId: \n", "");
        assertThat(check(everyRoute.replace("    id: caught\n", ""))).isEmpty();
        assertThat(check(everyRoute.replace("id: caught", "id: \"*\""))).isEmpty();
    }

    @Test
    void aStepBehindAQueueIsCoveredByTheSagaThatSendsToTheQueue() {
        assertThat(check(throughQueue("compensation: direct:release-items"))).isEmpty();
    }

    private static String throughQueue(String compensation) {
        return """
                - route:
                    from:
                      uri: direct:order-x
                      steps:
                        - to: direct:x-reserve
                - route:
                    from:
                      uri: seda:commands
                      steps:
                        # Answered with what came of it.
                        - to: direct:reserve-items
                - route:
                    from:
                      uri: direct:x-reserve
                      steps:
                        - saga:
                            propagation: MANDATORY
                            COMPENSATION
                            option:
                              - key: orderId
                                header: orderId
                            steps:
                              - enrich:
                                  constant: seda:commands?timeout=20000
                """.replace("COMPENSATION", compensation.isEmpty() ? "timeout: 10s" : compensation);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badFiles")
    void faultIsReportedWithPosition(String expected, String text) {
        assertThat(check(text)).extracting(Fault::toString).containsExactly("order-x.camel.yaml:" + expected);
    }

    private static Stream<Arguments> badFiles() {
        return Stream.of(
                Arguments.of("1:1: the file is empty", " \n"),
                Arguments.of("1:1: the file is empty: there is nothing but comments in it", "# nothing\n"),
                Arguments.of("2:10: not YAML: mapping values are not allowed here", "- route:\n    id: a: b\n"),
                Arguments.of("1:1: a flow file is a list: begin each route with '- route:'", "route:\n  id: x\n"),
                Arguments.of("1:3: unknown key 'routee', did you mean 'route'?", "- routee:\n    id: x\n"),
                Arguments.of("3:5: 'id' is given twice", "- route:\n    id: a\n    id: b\n"),
                Arguments.of("3:5: 'from' needs 'steps'", "- route:\n    id: x\n    from:\n      uri: direct:x\n"),
                steps("1:3: unknown step 'setBodyy', did you mean 'setBody'?", "- setBodyy:\n    simple: a"),
                steps("2:5: unknown key 'simpel', did you mean 'simple'? (in 'setBody')", "- setBody:\n    simpel: a"),
                steps(
                        "2:18: 'propagation' cannot be 'REQUIRE', did you mean 'REQUIRED'? (one of REQUIRED, REQUIRES_NEW,"
                                + " MANDATORY, SUPPORTS, NOT_SUPPORTED, NEVER)",
                        "- saga:\n    propagation: REQUIRE"),
                steps("2:10: unknown component 'jsm', did you mean 'jms'?", "- to:\n    uri: jsm:queue:orders"),
                steps(
                        "1:7: nothing answers at 'direct:reserve-item', did you mean 'direct:reserve-items'?",
                        "- to: direct:reserve-item"),
                steps(
                        "4:7: component 'seda' has no option 'siz', did you mean 'size'?",
                        "- to:\n    uri: seda:a\n    parameters:\n      siz: 1"),
                steps("1:7: component 'seda' has no option 'siz', did you mean 'size'?", "- to: seda:a?siz=1"),
                Arguments.of(
                        "11:15: the step 'reserve-items' has no compensation: put it in a saga with 'compensation:"
                                + " direct:release-items'",
                        throughQueue("")),
                Arguments.of(
                        "4:24: 'redeliveryDelay' must be a number of milliseconds, without a unit, not '100ms'",
                        "- onException:\n    exception: [java.io.IOException]\n    redeliveryPolicy:\n"
                                + "      redeliveryDelay: 100ms\n    steps: []\n"),
                Arguments.of(
                        "14:27: no route configuration of this file has the id 'caugth', did you mean 'caught'?",
                        configured("caugth")),
                Arguments.of(
                        "14:27: no route configuration of this file has the id ' caught', did you mean 'caught'?",
                        configured("caug*, caught")),
                Arguments.of(
                        "14:27: no route configuration of this file has the id '{{configuration}}'",
                        configured("\"{{configuration}}\"")),
                Arguments.of(
                        "7:21: there is no bean 'fraudScor', did you mean 'fraudScore'?",
                        configured("caught").replaceFirst("to: direct:audit", "bean: fraudScor")),
                Arguments.of(
                        "2:9: the route configuration counts for no route of this file: none has the"
                                + " routeConfigurationId 'caught'; with the id \"*\" it counts for all that have no such id",
                        configured("").replaceFirst("    routeConfigurationId: \n", "")),
                Arguments.of(
                        "2:5: the route configuration counts for no route of this file: none is without a"
                                + " routeConfigurationId",
                        configured("").replaceFirst("    id: caught\n", "").replaceFirst("(?s)- route:.*", "")),
                steps("2:10: there is no bean 'fraudScor', did you mean 'fraudScore'?", "- bean:\n    ref: fraudScor"),
                steps(
                        "1:7: the step 'reserve-items' has no compensation: put it in a saga with 'compensation:"
                                + " direct:release-items'",
                        "- to: direct:reserve-items\n- saga:\n    propagation: MANDATORY\n    steps: []"));
    }

    private static String configured(String id) {
        return """
                - routeConfiguration:
                    id: caught
                    onException:
                      - onException:
                          exception: [java.io.IOException]
                          steps:
                            - to: direct:audit
                - route:
                    id: order-x
                    from:
                      uri: direct:order-x
                      steps:
                        - to: direct:audit
                    routeConfigurationId: ID
                """.replace("ID", id);
    }

    private static Arguments steps(String expected, String steps) {
        String[] parts = expected.split(":", 3);
        String place = (Integer.parseInt(parts[0]) + 5) + ":" + (Integer.parseInt(parts[1]) + 8) + ":" + parts[2];
        return Arguments.of(
                place,
                "- route:\n    id: order-x\n    from:\n      uri: direct:order-x\n      steps:\n" + steps.indent(8));
    }

    private static String kamelets(String steps) {
        return """
                - route:
                    id: x
                    from:
                      uri: kamelet:order-events?subscriber=x&types=OrderShipped
                      steps:
                """ + steps.indent(8);
    }

    @Test
    void faultInKameletIsReported() {
        hub.getRegistry().bind("once", new MemoryIdempotentRepository());
        hub.addComponent("events", new StubComponent());
        try {
            assertThat(check(kamelets("""
                            - to: kamelet:http-call?url=http://localhost:9/x
                            - kamelet:
                                name: once
                                parameters:
                                  name: x
                                  key: ${body}
                                steps:
                                  - to: direct:elsewhere
                            """)))
                    .extracting(Fault::toString)
                    .containsExactly("order-x.camel.yaml:13:21: nothing answers at 'direct:elsewhere'");
        } finally {
            hub.removeComponent("events");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    kamelet:htp-call             | there is no Kamelet 'htp-call', did you mean 'http-call'?
                    kamelet:../http-call         | there is no Kamelet '..'
                    kamelet:http-call            | the Kamelet 'http-call' needs 'url'
                    kamelet:http-call?url=x&metod=y | the Kamelet 'http-call' has no parameter 'metod', did you mean 'method'?
                    kamelet:http-call?url=x&action=undoo | 'action' cannot be 'undoo', did you mean 'undo'? (one of do, undo, tell)
                    kamelet:http-call?url=x&step=Fraud | 'step' cannot be 'Fraud': it must match [a-z][a-z0-9-]{0,63}
                    """)
    void aKameletThatDoesNotFitIsToldWhereItIsNamed(String uri, String message) {
        assertThat(check(kamelets("- to: " + uri))).singleElement().satisfies(fault -> {
            assertThat(fault.message()).isEqualTo(message);
            assertThat(fault.line()).isEqualTo(6);
        });
    }

    static Stream<Arguments> bombs() {
        StringBuilder doubling = new StringBuilder("- &a0 [x, x]\n");
        for (int i = 0; i < 24; i++) {
            doubling.append("- &a%d [*a%d, *a%d]\n".formatted(i + 1, i, i));
        }
        return Stream.of(
                Arguments.of(
                        "it holds more than 100000 values, those that anchors repeat included", doubling.toString()),
                Arguments.of("it is nested more than 200 levels deep", "- route: &x\n    from: *x\n"),
                Arguments.of("it is nested more than 200 levels deep", "- ".repeat(300) + "x\n"),
                Arguments.of("it is nested more than 200 levels deep", "[".repeat(5_000) + "]".repeat(5_000) + "\n"));
    }

    @ParameterizedTest
    @MethodSource("bombs")
    void textWithExponentialAnchorsIsRefused(String message, String text) {
        assertThat(check(text)).extracting(Fault::message).containsExactly("not YAML: " + message);
    }
}
