package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.DidYouMean;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Kamelets;
import io.caravanserai.flow.yaml.Nodes;
import java.io.FileNotFoundException;
import java.lang.reflect.InvocationTargetException;
import java.net.URISyntaxException;
import java.nio.charset.UnsupportedCharsetException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.NoSuchBeanException;
import org.apache.camel.NoSuchEndpointException;
import org.apache.camel.NoSuchLanguageException;
import org.apache.camel.NoSuchPropertyException;
import org.apache.camel.NoTypeConversionAvailableException;
import org.apache.camel.PropertyBindingException;
import org.apache.camel.ResolveEndpointFailedException;
import org.apache.camel.TypeConversionException;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** Finds the place in a text that caused an exception of Camel, because most exceptions carry no position. */
public final class ErrorLocator {
    private static final Pattern QUOTED = Pattern.compile("(?:No bean could be found in the registry for|ref:?|bean:?|"
            + "[Ll]anguage:?|data ?format:?|class:?)\\s*:?\\s*'?#?([\\w.-]+)'?");

    private static final Pattern KIND = Pattern.compile("Node type (\\w+) is invalid, expected (\\w+)");

    /** Camel describes a step by class name, for example {@code >>> Unmarshal[...] <<<}. */
    private static final Pattern FAILED_STEP = Pattern.compile("at: >>> (\\w+)\\[");

    private static final Pattern DATA_FORMAT = Pattern.compile("Data format '([\\w-]+)' could not be created");

    private ErrorLocator() {}

    /** @param part the part of the tree that Camel processed */
    public static Fault of(String file, Node part, Throwable thrown, CamelContext context) {
        for (Throwable each = thrown; each != null; each = each.getCause()) {
            if (each instanceof MarkedYamlEngineException marked
                    && marked.getProblemMark().isPresent()) {
                return Fault.at(file, marked.getProblemMark(), plain(part, marked));
            }
        }
        Optional<Node> culprit = culprit(part, thrown);
        String subject = culprit.flatMap(node -> keyOf(part, node))
                .map(key -> "'" + key + "'")
                .orElse("a value");
        return Fault.at(file, culprit.or(() -> step(part, thrown)).orElse(part), message(thrown, subject, context));
    }

    /** Returns the message of Camel's YAML reader about a value of the wrong type, with the name of the key. */
    private static String plain(Node root, MarkedYamlEngineException marked) {
        Matcher kind = KIND.matcher(String.valueOf(marked.getProblem()));
        if (!kind.find()) {
            return firstLine(marked.getProblem());
        }
        String key = keyAt(root, marked.getProblemMark().map(Mark::getIndex).orElse(-1))
                .map(name -> "'" + name + "'")
                .orElse("this");
        return switch (kind.group(2)) {
            case "array" -> key + " must be a list: begin each item with '- '";
            case "map" -> key + " must be a group of keys";
            default ->
                key + " must be a plain text, not " + (kind.group(1).equals("map") ? "a group of keys" : "a list");
        };
    }

    private static Optional<String> keyAt(Node root, int index) {
        return key(
                root,
                value -> value.getStartMark()
                        .filter(mark -> mark.getIndex() == index)
                        .isPresent());
    }

    private static Optional<String> keyOf(Node root, Node value) {
        return key(root, each -> each == value);
    }

    private static Optional<String> key(Node root, Predicate<Node> isValue) {
        List<String> keys = new ArrayList<>();
        Nodes.walk(root, node -> {
            if (node instanceof MappingNode mapping) {
                for (NodeTuple tuple : mapping.getValue()) {
                    if (isValue.test(tuple.getValueNode()) && tuple.getKeyNode() instanceof ScalarNode key) {
                        keys.add(key.getValue());
                    }
                }
            }
        });
        return keys.stream().findFirst();
    }

    /** Returns the step where Camel failed to build the route, when the exception names no value. */
    private static Optional<Node> step(Node part, Throwable thrown) {
        Matcher failed = FAILED_STEP.matcher(String.valueOf(thrown.getMessage()));
        if (!failed.find()) {
            return Optional.empty();
        }
        List<Node> found = new ArrayList<>();
        Nodes.walk(part, node -> {
            if (node instanceof MappingNode mapping) {
                mapping.getValue().stream()
                        .map(NodeTuple::getKeyNode)
                        .filter(ScalarNode.class::isInstance)
                        .filter(key -> ((ScalarNode) key).getValue().equalsIgnoreCase(failed.group(1)))
                        .forEach(found::add);
            }
        });
        return found.size() == 1 ? Optional.of(found.get(0)) : Optional.empty();
    }

    private static String message(Throwable thrown, String subject, CamelContext context) {
        Optional<String> syntax = syntax(thrown);
        if (syntax.isPresent()) {
            return "the expression is not valid: " + syntax.get();
        }
        Throwable cause = innermost(thrown);
        if (cause instanceof ClassNotFoundException && cause.getMessage() != null) {
            return "there is no class '" + cause.getMessage()
                    + "': write its full name, and see that its jar is on the class path";
        }
        Matcher format = DATA_FORMAT.matcher(String.valueOf(cause.getMessage()));
        if (format.find()) {
            return "the hub has no data format '" + format.group(1) + "' on its class path";
        }
        Optional<String> conversion = conversion(thrown, subject);
        if (conversion.isPresent()) {
            return conversion.get();
        }
        if (cause instanceof NoSuchBeanException missing && missing.getName() != null) {
            return "there is no bean '" + missing.getName() + "'"
                    + DidYouMean.of(
                            missing.getName(),
                            context.getRegistry()
                                    .findByTypeWithName(Object.class)
                                    .keySet());
        }
        if (cause instanceof UnsupportedCharsetException unknown) {
            return "there is no character set '" + unknown.getCharsetName() + "': use one such as UTF-8";
        }
        if (cause instanceof NumberFormatException && cause.getMessage() != null) {
            return cause.getMessage().replace("For input string:", "a number must stand instead of");
        }
        if (cause instanceof URISyntaxException address) {
            return "the address '" + address.getInput() + "' is not valid: " + address.getReason();
        }
        return firstLine(cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage());
    }

    /**
     * Returns the message for a value of the wrong type. Camel's exceptions give the value and the required type; the
     * innermost cause is a JDK exception.
     */
    private static Optional<String> conversion(Throwable thrown, String subject) {
        Optional<String> option = Optional.empty();
        for (Throwable each = thrown; each != null; each = each.getCause()) {
            if (each instanceof PropertyBindingException binding && binding.getPropertyName() != null) {
                option = Optional.of("the option '" + binding.getPropertyName() + "'");
            }
            if (each instanceof TypeConversionException unfit) {
                return Optional.of(option.orElse(subject) + " cannot be '" + unfit.getValue() + "': it must be "
                        + kind(unfit.getToType()));
            }
            if (each instanceof NoTypeConversionAvailableException unfit) {
                return Optional.of(option.orElse(subject) + " cannot be '" + unfit.getValue() + "': it must be "
                        + kind(unfit.getToType()));
            }
        }
        return Optional.empty();
    }

    private static String kind(Class<?> type) {
        if (type == null) {
            return "of another type";
        }
        if (type.isEnum()) {
            return "one of "
                    + Arrays.stream(type.getEnumConstants())
                            .map(Object::toString)
                            .collect(Collectors.joining(", "));
        }
        return switch (type.getSimpleName()) {
            case "boolean", "Boolean" -> "true or false";
            case "int", "Integer", "short", "Short", "byte", "Byte" -> "a whole number";
            case "long", "Long", "Duration", "Timeout", "TimeValue" ->
                "a whole number, or a duration such as 500ms, 10s, 5m or 1h";
            case "double", "Double", "float", "Float" -> "a number";
            case "Class" -> "the full name of a class on the class path";
            default -> "of the type " + type.getName();
        };
    }

    /**
     * Returns the syntax error of an expression; empty for any other exception. Camel also reports a failed lookup
     * during parsing as a syntax error, which is no fault of the expression.
     */
    static Optional<String> syntax(Throwable thrown) {
        Throwable innermost = innermost(thrown);
        if (isLookup(innermost) || innermost instanceof URISyntaxException) {
            return Optional.empty();
        }
        Optional<String> told = Optional.empty();
        for (Throwable each = thrown; each != null; each = each.getCause()) {
            String type = each.getClass().getSimpleName();
            if (type.endsWith("SyntaxException")
                    || type.endsWith("ParserException")
                    || type.endsWith("XPathExpressionException")
                    || type.endsWith("XPathException")) {
                told = Optional.of(firstLine(String.valueOf(each.getMessage())));
            }
        }
        return told.map(ErrorLocator::inWords);
    }

    /** Whether Camel did not find a bean, class, language, endpoint, property or file. */
    private static boolean isLookup(Throwable cause) {
        return cause instanceof NoSuchBeanException
                || cause instanceof ClassNotFoundException
                || cause instanceof NoSuchLanguageException
                || cause instanceof NoSuchEndpointException
                || cause instanceof NoSuchPropertyException
                || cause instanceof ResolveEndpointFailedException
                || cause instanceof FileNotFoundException;
    }

    private static String inWords(String syntax) {
        return syntax.replace("expected symbol functionEnd but was eol", "a '}' is missing");
    }

    /** Returns the value in the text that an exception message names. */
    private static Optional<Node> culprit(Node route, Throwable thrown) {
        for (Throwable each = innermost(thrown); each != null; each = parent(thrown, each)) {
            if (each instanceof NoSuchBeanException missing && missing.getName() != null) {
                Optional<Node> named = naming(route, missing.getName());
                if (named.isPresent()) {
                    return named;
                }
            }
            String message = String.valueOf(each.getMessage());
            Matcher quoted = QUOTED.matcher(message);
            if (quoted.find()) {
                Optional<Node> named = naming(route, quoted.group(1));
                if (named.isPresent()) {
                    return named;
                }
            }
            Matcher format = DATA_FORMAT.matcher(message);
            if (format.find()) {
                return dataFormat(route, format.group(1));
            }
            Optional<Node> longest = quotedBy(route, message);
            if (longest.isPresent()) {
                return longest;
            }
        }
        return Optional.empty();
    }

    /** Returns the key, or the value of {@code library}, with the name of a data format. */
    private static Optional<Node> dataFormat(Node route, String name) {
        List<Node> found = new ArrayList<>();
        Nodes.walk(route, node -> {
            if (node instanceof MappingNode mapping) {
                mapping.getValue().stream()
                        .flatMap(tuple -> Stream.of(tuple.getKeyNode(), tuple.getValueNode()))
                        .filter(each -> each instanceof ScalarNode text
                                && text.getValue().equalsIgnoreCase(name))
                        .forEach(found::add);
            }
        });
        return found.stream().findFirst();
    }

    private static Throwable parent(Throwable outermost, Throwable of) {
        if (outermost == of) {
            return null;
        }
        Throwable each = outermost;
        while (each.getCause() != of) {
            each = each.getCause();
        }
        return each;
    }

    private static Optional<Node> naming(Node route, String name) {
        Pattern word = Pattern.compile("(?<![\\w.-])" + Pattern.quote(name) + "(?![\\w-])");
        List<Node> found = new ArrayList<>();
        Nodes.walk(route, node -> {
            if (node instanceof ScalarNode scalar
                    && word.matcher(scalar.getValue()).find()) {
                found.add(node);
            }
        });
        return found.stream().min(Comparator.comparing(ErrorLocator::isOfKamelet));
    }

    /** The text of the user is more likely wrong than the text of a Kamelet. */
    private static boolean isOfKamelet(Node node) {
        return node.getStartMark()
                .filter(mark -> mark.getName().endsWith(Kamelets.ENDING))
                .isPresent();
    }

    private static Optional<Node> quotedBy(Node route, String message) {
        List<ScalarNode> found = new ArrayList<>();
        Nodes.walk(route, node -> {
            if (node instanceof ScalarNode scalar
                    && (isIn(message, scalar.getValue()) || isIn(message, pathOf(scalar.getValue())))) {
                found.add(scalar);
            }
        });
        return found.stream()
                .max(Comparator.<ScalarNode, Boolean>comparing(each -> !isOfKamelet(each))
                        .thenComparing(each -> each.getValue().length()))
                .map(Node.class::cast);
    }

    private static boolean isIn(String message, String text) {
        return text.length() > 3 && message.contains(text);
    }

    /** Returns the text between the scheme and the options of an endpoint. */
    private static String pathOf(String uri) {
        int scheme = uri.indexOf(':');
        int options = uri.indexOf('?');
        return uri.substring(scheme + 1, options > scheme ? options : uri.length());
    }

    private static Throwable innermost(Throwable thrown) {
        Throwable cause = thrown;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        return cause instanceof InvocationTargetException target && target.getTargetException() != null
                ? target.getTargetException()
                : cause;
    }

    static String firstLine(String message) {
        return message.lines()
                .filter(line -> !line.isBlank())
                .findFirst()
                .orElse("")
                .strip();
    }
}
