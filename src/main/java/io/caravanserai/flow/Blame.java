package io.caravanserai.flow;

import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.NoSuchBeanException;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** Finds the place in a text that an exception of Camel is about: Camel itself rarely tells. */
final class Blame {
    private static final Pattern QUOTED = Pattern.compile("(?:No bean could be found in the registry for|ref:?|bean:?|"
            + "[Ll]anguage:?|data ?format:?|class:?)\\s*:?\\s*'?#?([\\w.-]+)'?");

    private static final Pattern UNKNOWN_OPTION =
            Pattern.compile("endpoint: ([\\w-]+):.*Unknown parameters=\\[\\{([^=]+)=", Pattern.DOTALL);

    private Blame() {}

    /** @param part the part of the tree that Camel was given */
    static Fault of(String file, Node part, Throwable thrown, CamelContext context) {
        for (Throwable each = thrown; each != null; each = each.getCause()) {
            if (each instanceof MarkedYamlEngineException marked
                    && marked.getProblemMark().isPresent()) {
                return Fault.at(file, marked.getProblemMark(), firstLine(marked.getProblem()));
            }
        }
        return Fault.at(file, culprit(part, thrown).orElse(part), message(innermost(thrown), context));
    }

    private static String message(Throwable cause, CamelContext context) {
        if (cause instanceof NoSuchBeanException missing && missing.getName() != null) {
            return "there is no bean '" + missing.getName() + "'"
                    + DidYouMean.of(
                            missing.getName(),
                            context.getRegistry()
                                    .findByTypeWithName(Object.class)
                                    .keySet());
        }
        return firstLine(cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage());
    }

    /** The value in the text that one of the messages names. */
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
            Optional<Node> longest = quotedBy(route, message);
            if (longest.isPresent()) {
                return longest;
            }
        }
        return Optional.empty();
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
        return found.stream().findFirst();
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
                .max((a, b) ->
                        Integer.compare(a.getValue().length(), b.getValue().length()))
                .map(Node.class::cast);
    }

    private static boolean isIn(String message, String text) {
        return text.length() > 3 && message.contains(text);
    }

    /** What stands between scheme and options, where the text is an endpoint. */
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

    private static String firstLine(String message) {
        return message.lines().findFirst().orElse("").strip();
    }
}
