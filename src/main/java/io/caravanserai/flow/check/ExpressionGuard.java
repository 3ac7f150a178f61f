package io.caravanserai.flow.check;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.Expression;
import org.apache.camel.Predicate;
import org.apache.camel.language.simple.FileLanguage;
import org.apache.camel.language.simple.SimpleLanguage;

/**
 * Prevents expressions in Camel's Simple language from reading secrets of the hub, and classes and beans that lead to
 * secrets.
 */
public final class ExpressionGuard {
    private static final String START = "\\$(?:simple)?\\{\\s*";
    private static final Pattern VARIABLE = Pattern.compile(START + "(?:env|sysenv|sys)\\s*[.:]([^}]*)");
    private static final Pattern PROPERTY = Pattern.compile(START + "(?:properties|propertiesExist):([^}]*)");
    private static final Pattern CONTEXT = Pattern.compile(START
            + "(?:camelContext\\s*(?:[.?\\[]\\s*)(?!(?:name|version|uptime|uptimeMillis|status|managementName)\\s*\\})"
            + "|(?:exchange|in|out|message)\\b[^}]*\\b(?:context|camelContext)\\b"
            + "|[^}]*\\bget(?:Camel)?Context\\b)");
    private static final Pattern REFLECTION = Pattern.compile(
            START
                    + "[^}]*\\b(?:getClass\\s*\\(\\s*\\)|class)\\s*[.?\\[](?!\\s*(?:name|simpleName|getName|getSimpleName)\\b)");
    private static final Pattern TYPE = Pattern.compile("(?:\\btype:|#class:|#type:)\\s*([A-Za-z_$][\\w.$]*)");

    /** Classes that give access beyond the flow: to the process, the settings or the hub. */
    private static final List<String> CLOSED = List.of(
            "java.lang.System",
            "java.lang.Runtime",
            "java.lang.Process",
            "java.lang.Class",
            "java.lang.Module",
            "java.lang.Thread",
            "java.lang.management.",
            "java.lang.reflect.",
            "java.lang.invoke.",
            "javax.management.",
            "javax.script.",
            "jdk.",
            "sun.",
            "com.sun.",
            "org.apache.camel.impl.",
            "org.apache.camel.main.",
            "org.apache.camel.util.",
            "org.apache.camel.component.properties.",
            "org.apache.camel.support.CamelContextHelper",
            "org.apache.camel.support.EndpointHelper",
            "org.apache.camel.support.PropertyBindingSupport",
            "org.apache.camel.support.ResourceHelper",
            "io.caravanserai.");

    private static final String OPEN = "io.caravanserai.service.CommandReply";

    private ExpressionGuard() {}

    /** Returns why a text must not be evaluated; empty for an allowed text. */
    static Optional<String> fault(String text) {
        if (text == null) {
            return Optional.empty();
        }
        for (Matcher found = VARIABLE.matcher(text); found.find(); ) {
            String name = found.group(1).split(":", 2)[0].strip();
            if (name.contains("$") || name.contains("{")) {
                return Optional.of("the name of a variable must be plain, not '" + name + "'");
            }
            if (HubSecrets.isSecret(name)) {
                return Optional.of(secret(name));
            }
        }
        for (Matcher found = PROPERTY.matcher(text); found.find(); ) {
            String name = found.group(1).split(":", 2)[0].strip();
            if (HubSecrets.isSecret(name)) {
                return Optional.of(secret(name));
            }
        }
        if (CONTEXT.matcher(text).find()) {
            return Optional.of("a flow cannot look into the Camel context, only at ${camelContext.name} and .version");
        }
        if (REFLECTION.matcher(text).find()) {
            return Optional.of("a flow cannot look into classes, only at their names");
        }
        for (Matcher found = TYPE.matcher(text); found.find(); ) {
            if (isClosed(found.group(1))) {
                return Optional.of(closed(found.group(1)));
            }
        }
        return Optional.empty();
    }

    /** Whether a flow must not use the class as a bean. */
    static boolean isClosed(String type) {
        return !type.equals(OPEN)
                && CLOSED.stream()
                        .anyMatch(closed -> closed.endsWith(".")
                                ? type.startsWith(closed)
                                : type.equals(closed)
                                        || type.startsWith(closed + "$")
                                        || closed.equals("java.lang.Process") && type.startsWith(closed));
    }

    static String closed(String type) {
        return "the class '" + type + "' is closed to flows";
    }

    private static String secret(String name) {
        return "'" + name + "' is a secret of the hub: no flow can read it";
    }

    /**
     * Makes a context refuse to evaluate forbidden expressions, also expressions composed from a message at run time.
     */
    public static void install(CamelContext context) {
        if (context.getRegistry().lookupByName("simple-language") == null) {
            context.getRegistry().bind("simple-language", new GuardedSimple());
            context.getRegistry().bind("file-language", new GuardedFile());
        }
    }

    private static String checked(String text) {
        fault(text).ifPresent(message -> {
            throw new PlaceholderGuard.RefusedException(message);
        });
        return text;
    }

    private static final class GuardedSimple extends SimpleLanguage {
        @Override
        public Predicate createPredicate(String text) {
            return super.createPredicate(checked(text));
        }

        @Override
        public Predicate createPredicate(String text, Object[] properties) {
            return super.createPredicate(checked(text), properties);
        }

        @Override
        public Expression createExpression(String text) {
            return super.createExpression(checked(text));
        }

        @Override
        public Expression createExpression(String text, Object[] properties) {
            return super.createExpression(checked(text), properties);
        }
    }

    private static final class GuardedFile extends FileLanguage {
        @Override
        public Predicate createPredicate(String text) {
            return super.createPredicate(checked(text));
        }

        @Override
        public Predicate createPredicate(String text, Object[] properties) {
            return super.createPredicate(checked(text), properties);
        }

        @Override
        public Expression createExpression(String text) {
            return super.createExpression(checked(text));
        }

        @Override
        public Expression createExpression(String text, Object[] properties) {
            return super.createExpression(checked(text), properties);
        }
    }
}
