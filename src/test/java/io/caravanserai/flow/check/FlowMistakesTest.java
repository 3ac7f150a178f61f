package io.caravanserai.flow.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Kamelets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages of the check about common mistakes in Camel routes: position and fix. */
class FlowMistakesTest {
    private static final String FILE = "order-x.camel.yaml";

    private static DefaultCamelContext hub;

    @BeforeAll
    static void startHub() {
        hub = new DefaultCamelContext();
        hub.getRegistry().bind("fraudScore", new StringBuilder("a bean"));
        hub.getRegistry().bind("once", new org.apache.camel.support.processor.idempotent.MemoryIdempotentRepository());
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
                Set.of(),
                Map.of("direct:audit", "audit.camel.yaml"),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of());
        return FlowCheck.check(FILE, text, around);
    }

    /** Blocks of {@code = title}, {@code > line:column: message} and the text of a flow. */
    static Stream<Arguments> mistakes() throws IOException {
        return Arrays.stream(Files.readString(Path.of("src/test/resources/flow-mistakes.txt"))
                        .split("(?m)^= "))
                .filter(block -> !block.isBlank())
                .map(block -> {
                    List<String> lines = block.lines().toList();
                    List<String> faults = lines.stream()
                            .skip(1)
                            .takeWhile(line -> line.startsWith("> "))
                            .map(line -> FILE + ":" + line.substring(2))
                            .toList();
                    String text = lines.stream().skip(1 + faults.size()).collect(Collectors.joining("\n"));
                    return Arguments.of(lines.get(0), faults, text + "\n");
                });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("mistakes")
    void mistakeIsReportedAtPositionWithFix(String title, List<String> faults, String text) {
        assertThat(check(text)).as(title).extracting(Fault::toString).containsExactlyElementsOf(faults);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "setBody: {EXPRESSION}",
                "setBody: {expression: {EXPRESSION}}",
                "setBody: {language: {language: jsonpath, expression: '$.['}}",
                "setHeader: {name: a, EXPRESSION}",
                "setHeaders: {headers: [{name: a, EXPRESSION}]}",
                "setProperty: {name: a, EXPRESSION}",
                "setVariable: {name: a, EXPRESSION}",
                "transform: {EXPRESSION}",
                "validate: {EXPRESSION}",
                "filter: {EXPRESSION, steps: [{log: a}]}",
                "choice: {when: [{EXPRESSION, steps: [{log: a}]}]}",
                "split: {EXPRESSION, steps: [{log: a}]}",
                "loop: {EXPRESSION, steps: [{log: a}]}",
                "delay: {EXPRESSION}",
                "throttle: {EXPRESSION}",
                "enrich: {EXPRESSION}",
                "pollEnrich: {EXPRESSION}",
                "recipientList: {EXPRESSION}",
                "routingSlip: {EXPRESSION}",
                "dynamicRouter: {EXPRESSION}",
                "sort: {EXPRESSION}",
                "script: {EXPRESSION}",
                "resequence: {EXPRESSION, steps: [{log: a}]}",
                "idempotentConsumer: {idempotentRepository: once, EXPRESSION, steps: [{log: a}]}",
                "saga: {option: [{key: orderId, EXPRESSION}], steps: [{log: a}]}",
                "aggregate: {aggregationStrategy: '#class:org.apache.camel.processor.aggregate"
                        + ".UseLatestAggregationStrategy', completionSize: 2,"
                        + " correlationExpression: {EXPRESSION}, steps: [{log: a}]}",
                "doTry: {steps: [{log: a}], doCatch: [{exception: [java.lang.Exception],"
                        + " onWhen: {EXPRESSION}, steps: [{log: b}]}]}"
            })
    void aJsonPathThatIsNoneIsToldWhereverItStands(String step) {
        String start = "- route:\n    from:\n      uri: direct:order-x\n      steps:\n        - ";
        String line = step.replace("EXPRESSION", "jsonpath: '$.['");

        assertThat(check(start + line + "\n")).singleElement().satisfies(fault -> {
            assertThat(fault.message())
                    .isEqualTo("the expression '$.[' is not valid jsonpath: the path ends too early");
            assertThat(fault.line()).isEqualTo(5);
            assertThat(fault.column()).isEqualTo(11 + line.indexOf("'$.['"));
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "errorHandler: {deadLetterChannel: {deadLetterUri: 'mock:dead',"
                        + " redeliveryPolicy: {redeliveryDelay: 2s, maximumRedeliveryDelay: 1m}}}",
                "onException: {exception: [java.io.IOException], handled: {expression: {constant: 'true'}},"
                        + " steps: [{log: a}]}",
                "onException: {exception: [java.io.IOException], continued: {expression: {simple: '${body} == 1'}},"
                        + " steps: [{log: a}]}",
                "interceptFrom: {uri: 'direct:order*', steps: [{log: a}]}",
                "interceptSendToEndpoint: {uri: '(ftp|sftp):.*', steps: [{log: a}]}",
                "interceptSendToEndpoint: {uri: 'direct:nobody', afterUri: 'mock:after', steps: [{log: a}]}"
            })
    void whatCountsForAllRoutesOfAFileIsReadAsCamelReadsIt(String item) {
        assertThat(check("- " + item
                        + "\n- route:\n    from:\n      uri: direct:order-x\n      steps:\n        - log: a\n"))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "setBody: {xpath: {expression: '/n:a[', namespace: [{key: n, value: 'urn:x'}]}} | is not valid",
                "split: {tokenize: '', steps: [{log: a}]} | the expression '' is not valid tokenize: it is empty",
                "convertHeaderTo: {name: a, type: Strin} | there is no class 'Strin'",
                "to: {uri: log, parameters: {logger-name: a, show-al: true}} | component 'log' has no option 'showAl'",
                "loadBalance: {steps: [{log: a}]} | such as roundRobinLoadBalancer",
                "marshal: {beanio: {}} | 'beanio' needs 'mapping' and 'streamName'"
            })
    void whatCamelDoesNotUnderstandIsStillAMistake(String step, String message) {
        assertThat(check("- route:\n    from:\n      uri: direct:order-x\n      steps:\n        - " + step + "\n"))
                .singleElement()
                .satisfies(fault -> assertThat(fault.message()).contains(message));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "setBody: {simple: '${bean:greeting?method=toString}'}",
                "setBody: {simple: '${bean:greeting.length}'}",
                "setBody: {simple: '${bean:fraudScore?method=toString}'}",
                "filter: {simple: '${bean:greeting?method=isEmpty} == false', steps: [{log: a}]}",
                "setBody: {simple: '${ref:greeting}'}",
                "setBody: {method: {ref: greeting, method: length}}",
                "setBody: {simple: '${bean:later?method=toString} ${bean:greeting?method=toString}'}"
            })
    void anExpressionMayNameBeansOfItsFileAndOfTheHub(String step) {
        String text = """
                - route:
                    from:
                      uri: direct:order-x
                      steps:
                        - STEP
                - beans:
                    - name: greeting
                      type: java.lang.String
                      constructors:
                        "0": hello
                    - name: later
                      type: java.lang.StringBuilder
                """.replace("STEP", step);

        assertThat(check(text)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"${bean:fraudScor?method=toString}", "${bean:fraudScor.length}"})
    void undeclaredBeanIsReported(String expression) {
        assertThat(check(
                        "- route:\n    from:\n      uri: direct:order-x\n      steps:\n        - setBody:\n            simple: "
                                + expression + "\n"))
                .extracting(Fault::toString)
                .containsExactly(FILE + ":6:21: there is no bean 'fraudScor', did you mean 'fraudScore'?");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "setBody: {jsonpath: '$.items[?(@.price > ${header.least})]'}",
                "filter: {jsonpath: 'amount > 5', steps: [{log: a}]}",
                "setBody: {simple: '${body} == 5'}",
                "loop: {constant: 3, steps: [{log: a}]}",
                "loop: {constant: 3, copy: 'TRUE', steps: [{log: a}]}",
                "convertBodyTo: {type: int}",
                "convertBodyTo: {type: 'byte[]'}",
                "convertHeaderTo: {name: a, type: int}",
                "split: {tokenize: \"\\n\", steps: [{log: a}]}",
                "split: {tokenize: {token: ' '}, steps: [{log: a}]}",
                "setBody: {xpath: {expression: '/n:a', namespace: [{key: n, value: 'urn:x'}]}}",
                "setBody: {constant: '${jsonpath($.[)}'}",
                "log: {message: a, description: 'such as ${jsonpath($.[)}'}",
                "unmarshal: {json: {library: jackson}}",
                "to: {uri: log, parameters: {logger-name: a, show-all: true, group-size: 5}}",
                "poll: {uri: seda, parameters: {name: a, purge-when-stopping: 'True'}}",
                "loop: {constant: 'true', doWhile: true, steps: [{log: a}]}",
                "loop: {expression: {constant: 'false'}, doWhile: 'true', steps: [{log: a}]}",
                "to: 'file:inbox?delay=5s&initialDelay=1000'",
                "to: 'log:x?level=warn&showAll=TRUE'",
                "to: 'seda:x?timeout=1m30s'",
                "throwException: {exceptionType: java.io.IOException, message: a}"
            })
    void whatCamelUnderstandsIsNoMistake(String step) {
        assertThat(check("- route:\n    from:\n      uri: direct:order-x\n      steps:\n        - " + step + "\n"))
                .isEmpty();
    }
}
