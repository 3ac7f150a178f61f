package io.caravanserai.flow.check;

import com.jayway.jsonpath.InvalidPathException;
import com.jayway.jsonpath.JsonPath;
import io.caravanserai.flow.yaml.DidYouMean;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.Expression;
import org.apache.camel.Predicate;
import org.apache.camel.jsonpath.easypredicate.EasyPredicateParser;
import org.apache.camel.spi.Language;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Parses every expression of a flow. Camel parses some languages only at the first message (JSONPath), and reports
 * other errors without a position.
 */
final class ExpressionsCheck {
    /** Languages with a syntax. Other languages accept any text, or contain names that Camel looks up. */
    private static final Set<String> PARSED = Set.of(
            "csimple",
            "datasonnet",
            "groovy",
            "hl7terser",
            "joor",
            "jq",
            "js",
            "jsonpath",
            "mvel",
            "ognl",
            "python",
            "simple",
            "spel",
            "tokenize",
            "wasm",
            "xpath",
            "xquery",
            "xtokenize");
    /** Keys with a predicate as the expression. */
    private static final Set<String> PREDICATES = Set.of(
            "filter",
            "when",
            "validate",
            "onWhen",
            "completionPredicate",
            "handled",
            "continued",
            "retryWhile",
            "doWhile");
    /** Steps that fail on every message when the constant is no number. */
    private static final Set<String> NUMBERS = Set.of("delay", "loop", "throttle");

    private static final Set<String> FOREIGN = Set.of("parameters", "properties", "beans", "constructors");
    /** Keys with a text that Camel does not evaluate. */
    private static final Set<String> PLAIN = Set.of("constant", "description", "id", "note");

    private static final String LANGUAGES_ON_CLASS_PATH = "META-INF/services/org/apache/camel/language/";
    private static final Pattern INLINE_JSONPATH = Pattern.compile("\\$\\{jsonpath\\((\\$[^,{}]*)\\)}");

    private final String file;
    private final CamelContext context;
    private final List<Fault> faults = new ArrayList<>();

    private ExpressionsCheck(String file, CamelContext context) {
        this.file = file;
        this.context = context;
    }

    /** @param context the context with the languages; need not be started */
    static List<Fault> check(String file, Node root, CamelContext context) {
        ExpressionsCheck check = new ExpressionsCheck(file, context);
        check.walk(root, "");
        return check.faults;
    }

    private void walk(Node node, String role) {
        if (node instanceof SequenceNode sequence) {
            sequence.getValue().forEach(item -> walk(item, role));
        } else if (node instanceof MappingNode mapping) {
            String purpose = role.equals("loop") && isDoWhile(mapping) ? "doWhile" : role;
            boolean saysYesOrNo = PREDICATES.contains(purpose);
            for (NodeTuple tuple : mapping.getValue()) {
                String key = ((ScalarNode) tuple.getKeyNode()).getValue();
                Node value = tuple.getValueNode();
                if (key.equals("xpath") && Nodes.value(value, "namespace").isPresent()) {
                    // Camel resolves the prefixes only when building the route, and then reports syntax errors.
                    continue;
                }
                if (PARSED.contains(key)) {
                    text(value).ifPresent(text -> expression(key, text, saysYesOrNo, tuple.getKeyNode()));
                } else if (key.equals("language")) {
                    Nodes.value(value, "language")
                            .filter(ScalarNode.class::isInstance)
                            .ifPresent(name -> text(value)
                                    .ifPresent(text ->
                                            expression(((ScalarNode) name).getValue(), text, saysYesOrNo, name)));
                } else if (key.equals("constant") && NUMBERS.contains(purpose)) {
                    text(value).ifPresent(text -> number(purpose, text));
                } else if (!FOREIGN.contains(key)) {
                    if (!PLAIN.contains(key)) {
                        inlineJsonPath(value);
                    }
                    walk(value, key.equals("expression") ? purpose : key);
                }
            }
        }
    }

    private static boolean isDoWhile(Node loop) {
        return Nodes.text(loop, "doWhile").filter(text -> !text.equals("false")).isPresent();
    }

    /** Returns the text of an expression in short or long form. */
    private static Optional<ScalarNode> text(Node value) {
        return Optional.of(value)
                .filter(ScalarNode.class::isInstance)
                .or(() -> Nodes.value(value, "expression").filter(ScalarNode.class::isInstance))
                .map(ScalarNode.class::cast);
    }

    private void number(String step, ScalarNode text) {
        String value = text.getValue().strip();
        if (!value.matches("[+-]?[0-9]+") && !isFilledLater(value)) {
            String unit = step.equals("delay") ? " of milliseconds, without a unit" : "";
            faults.add(Fault.at(
                    file,
                    text,
                    "the constant of '" + step + "' must be a whole number" + unit + ", not '" + value + "'"));
        }
    }

    private void expression(String language, ScalarNode text, boolean isPredicate, Node place) {
        if (isFilledLater(language) || language.isBlank()) {
            return;
        }
        if (context.getRegistry().lookupByName(language + "-language") == null
                && context.getClassResolver().loadResourceAsURL(LANGUAGES_ON_CLASS_PATH + language) == null) {
            faults.add(Fault.at(
                    file,
                    place,
                    "the hub has no language '" + language + "'"
                            + DidYouMean.of(language, List.of("simple", "jsonpath", "xpath", "tokenize", "constant"))));
            return;
        }
        String value = text.getValue();
        if (isFilledLater(value) || value.strip().startsWith("resource:")) {
            return;
        }
        why(language, value, isPredicate)
                .ifPresent(why -> faults.add(Fault.at(
                        file, text, "the expression '" + shown(value) + "' is not valid " + language + ": " + why)));
        if (language.equals("simple")) {
            inlineJsonPath(text);
        }
    }

    private Optional<String> why(String language, String text, boolean isPredicate) {
        boolean isSeparator = language.equals("tokenize");
        if (isSeparator ? text.isEmpty() : text.isBlank()) {
            return Optional.of("it is empty").filter(none -> !language.equals("simple"));
        }
        if (isSeparator) {
            return Optional.empty();
        }
        if (language.equals("jsonpath")) {
            return jsonPath(text, isPredicate);
        }
        try {
            Language parser = context.resolveLanguage(language);
            if (isPredicate) {
                Predicate predicate = parser.createPredicate(text.strip());
                predicate.init(context);
            } else {
                Expression expression = parser.createExpression(text.strip());
                expression.init(context);
            }
            return Optional.empty();
        } catch (RuntimeException e) {
            return ErrorLocator.syntax(e);
        }
    }

    private static Optional<String> jsonPath(String text, boolean isPredicate) {
        if (text.contains("${")) {
            return Optional.empty();
        }
        try {
            JsonPath.compile(isPredicate ? new EasyPredicateParser().parse(text) : text);
            return Optional.empty();
        } catch (InvalidPathException e) {
            boolean isItsOwn = e.getCause() == null;
            return Optional.of(isItsOwn ? ErrorLocator.firstLine(e.getMessage()) : "the path ends too early");
        }
    }

    private void inlineJsonPath(Node node) {
        if (node instanceof ScalarNode text) {
            for (Matcher found = INLINE_JSONPATH.matcher(text.getValue()); found.find(); ) {
                String path = found.group(1);
                jsonPath(path, false)
                        .ifPresent(why -> faults.add(
                                Fault.at(file, text, "the expression '" + path + "' is not valid jsonpath: " + why)));
            }
        }
    }

    private static boolean isFilledLater(String text) {
        return text.contains("{{");
    }

    private static String shown(String text) {
        String line = ErrorLocator.firstLine(text.strip());
        return line.length() > 80 ? line.substring(0, 80) + "..." : line;
    }
}
