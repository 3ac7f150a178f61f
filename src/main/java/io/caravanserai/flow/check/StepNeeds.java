package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.DidYouMean;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.order.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.apache.camel.AggregationStrategy;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.TransactedPolicy;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** Checks required values of steps that Camel's schema does not require. */
final class StepNeeds {
    /** Keys of an expression in short form. */
    static final Set<String> LANGUAGES = Set.of(
            "constant",
            "csimple",
            "datasonnet",
            "exchangeProperty",
            "groovy",
            "header",
            "hl7terser",
            "java",
            "joor",
            "jq",
            "js",
            "jsonpath",
            "language",
            "method",
            "mvel",
            "ognl",
            "python",
            "ref",
            "simple",
            "spel",
            "tokenize",
            "variable",
            "wasm",
            "xpath",
            "xquery",
            "xtokenize");

    private static final Set<String> EVALUATE = Set.of(
            "completionPredicate",
            "completionSizeExpression",
            "completionTimeoutExpression",
            "correlationExpression",
            "delay",
            "dynamicRouter",
            "enrich",
            "filter",
            "idempotentConsumer",
            "loop",
            "onWhen",
            "pollEnrich",
            "recipientList",
            "resequence",
            "routingSlip",
            "script",
            "setBody",
            "setHeader",
            "setProperty",
            "setVariable",
            "split",
            "throttle",
            "transform",
            "validate",
            "when");
    private static final List<String> COMPLETIONS = List.of(
            "completionSize",
            "completionTimeout",
            "completionInterval",
            "completionPredicate",
            "completionSizeExpression",
            "completionTimeoutExpression",
            "completionFromBatchConsumer");
    private static final Set<String> BESIDE_A_FORMAT =
            Set.of("id", "description", "disabled", "note", "variableSend", "variableReceive", "allowNullBody");
    private static final Set<String> BESIDE_A_POLICY = Set.of("id", "description", "disabled", "note", "steps");
    private static final Set<String> FOREIGN = Set.of("parameters", "properties", "beans", "constructors");

    private final String file;
    private final CamelContext context;
    private final Set<String> beansHere;
    private final List<Fault> faults = new ArrayList<>();

    private StepNeeds(String file, CamelContext context, Set<String> beansHere) {
        this.file = file;
        this.context = context;
        this.beansHere = beansHere;
    }

    static List<Fault> check(String file, Node root, CheckContext around) {
        StepNeeds check = new StepNeeds(file, around.context(), Set.copyOf(FlowBeans.names(root)));
        check.walk(root);
        return check.faults;
    }

    private void walk(Node node) {
        if (node instanceof SequenceNode sequence) {
            sequence.getValue().forEach(this::walk);
        } else if (node instanceof MappingNode mapping) {
            for (NodeTuple tuple : mapping.getValue()) {
                ScalarNode key = (ScalarNode) tuple.getKeyNode();
                if (!FOREIGN.contains(key.getValue())) {
                    check(key, tuple.getValueNode());
                    walk(tuple.getValueNode());
                }
            }
        }
    }

    private void check(ScalarNode key, Node value) {
        String name = key.getValue();
        if (EVALUATE.contains(name)) {
            if (value instanceof SequenceNode items) {
                items.getValue().forEach(item -> expression(name, item, item));
            } else {
                expression(name, value, key);
            }
        }
        switch (name) {
            case "choice" -> {
                if (isWithout(value, "when")) {
                    need(key, "'choice' needs 'when'");
                }
            }
            case "marshal", "unmarshal" -> {
                if (value instanceof MappingNode group && BESIDE_A_FORMAT.containsAll(keys(group))) {
                    need(key, "'" + name + "' needs a data format, such as json");
                }
            }
            case "loadBalance" -> {
                if (value instanceof MappingNode group && BESIDE_A_POLICY.containsAll(keys(group))) {
                    need(
                            key,
                            "'loadBalance' needs a policy, such as roundRobinLoadBalancer, randomLoadBalancer, failoverLoadBalancer or weightedLoadBalancer");
                }
            }
            case "aggregate" -> aggregate(key, value);
            case "onException" -> {
                if (isWithout(value, "exception")) {
                    need(key, "'onException' needs 'exception', a list of classes such as java.io.IOException");
                }
            }
            case "throwException" -> {
                refusal(value);
                if (isWithout(value, "exceptionType") && isWithout(value, "ref")) {
                    need(key, "'throwException' needs 'exceptionType', a class such as java.io.IOException");
                }
            }
            case "rest" -> verbs(value);
            case "transacted" -> transacted(key, value);
            case "openApi" -> {
                if (value instanceof MappingNode && isMissing("rest-openapi")) {
                    need(
                            key,
                            "'openApi' needs Camel's component rest-openapi, which is not in the hub: write the paths"
                                    + " under 'rest' with get, post, put, patch or delete");
                }
            }
            default -> {
                // Camel's schema reports this.
            }
        }
    }

    private void expression(String name, Node value, Node place) {
        if (!(value instanceof MappingNode group) || Nodes.value(value, "uri").isPresent()) {
            return;
        }
        boolean has = keys(group).stream().anyMatch(LANGUAGES::contains)
                || Nodes.value(value, "expression")
                        .filter(inner -> inner instanceof MappingNode languages
                                && keys(languages).stream().anyMatch(LANGUAGES::contains))
                        .isPresent();
        if (!has) {
            need(place, "'" + name + "' needs an expression, such as simple, constant, header or jsonpath");
        }
    }

    private void aggregate(ScalarNode key, Node value) {
        if (isWithout(value, "correlationExpression")) {
            need(
                    key,
                    "'aggregate' needs 'correlationExpression', which tells the groups apart, such as constant: true");
        }
        boolean endless = COMPLETIONS.stream().allMatch(each -> isWithout(value, each));
        String strategy = Nodes.text(value, "aggregationStrategy").orElse("");
        boolean endsItself =
                strategy.startsWith("#") && !strategy.startsWith("#class:org.apache.camel.processor.aggregate.")
                        || beansHere.contains(strategy)
                        || context.getRegistry().lookupByName(strategy) instanceof AggregationStrategy known
                                && known.canPreComplete();
        if (endless && !endsItself) {
            need(
                    key,
                    "'aggregate' needs to know when a group is complete: give it completionSize, completionTimeout,"
                            + " completionInterval or completionPredicate");
        }
    }

    /** A flow must refuse an order with a known reason. */
    private void refusal(Node step) {
        boolean refuses = Nodes.text(step, "exceptionType")
                .filter("io.caravanserai.service.StepRefusedException"::equals)
                .isPresent();
        if (refuses && Nodes.value(step, "message").orElse(null) instanceof ScalarNode message) {
            String reason = message.getValue();
            List<String> reasons =
                    Arrays.stream(Reason.values()).map(Reason::wire).toList();
            if (!reasons.contains(reason) && !reason.contains("${") && !reason.contains("{{")) {
                need(
                        message,
                        "an order has no reason '" + reason + "'" + DidYouMean.of(reason, reasons) + " (one of "
                                + String.join(", ", reasons) + ")");
            }
        }
    }

    private void verbs(Node rest) {
        for (String verb : List.of("get", "post", "put", "delete", "patch", "head")) {
            if (Nodes.value(rest, verb).orElse(null) instanceof SequenceNode paths) {
                paths.getValue().stream()
                        .filter(path -> isWithout(path, "to"))
                        .forEach(path -> need(path, "'" + verb + "' needs 'to', such as to: direct:name"));
            }
        }
    }

    private void transacted(ScalarNode key, Node value) {
        String ref = Nodes.text(value, "ref").orElse("");
        boolean known = ref.isEmpty()
                ? !context.getRegistry().findByType(TransactedPolicy.class).isEmpty()
                : beansHere.contains(ref) || context.getRegistry().lookupByName(ref) != null;
        if (!known) {
            need(
                    key,
                    "'transacted' needs a transaction manager of Spring, which the hub has not: leave it out, and let a"
                            + " 'saga' with a compensation undo what was done");
        }
    }

    private boolean isMissing(String component) {
        return context.getClassResolver().loadResourceAsURL("META-INF/services/org/apache/camel/component/" + component)
                == null;
    }

    private static boolean isWithout(Node value, String key) {
        return value instanceof MappingNode && Nodes.value(value, key).isEmpty();
    }

    private static List<String> keys(MappingNode group) {
        return group.getValue().stream()
                .map(tuple -> ((ScalarNode) tuple.getKeyNode()).getValue())
                .toList();
    }

    private void need(Node place, String message) {
        faults.add(Fault.at(file, place, message));
    }
}
