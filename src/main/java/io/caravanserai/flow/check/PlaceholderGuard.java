package io.caravanserai.flow.check;

import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.component.properties.DefaultPropertiesParser;
import org.apache.camel.component.properties.EnvPropertiesFunction;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.component.properties.PropertiesLookup;
import org.apache.camel.component.properties.SysPropertiesFunction;
import org.apache.camel.spi.PropertiesFunction;
import org.apache.camel.util.IOHelper;

/**
 * Camel's parser of {@code {{placeholders}}} with two restrictions: secrets of the hub have no value, and an unknown
 * function is not taken for a property with a default. Refuses both in the check of a flow, and at run time for
 * placeholders composed from a message.
 */
public final class PlaceholderGuard extends DefaultPropertiesParser {
    private static final Pattern FUNCTION = Pattern.compile("\\{\\{\\s*[?!]?([A-Za-z][A-Za-z0-9._-]*):");
    /** A property key contains a dot, a dash or an underscore, or is set. */
    private static final Pattern WORD = Pattern.compile("[A-Za-z][A-Za-z0-9]*");
    /** Functions of Camel that are not in the hub and look like property keys. */
    private static final Set<String> FUNCTIONS_ELSEWHERE = Set.of("kubernetes-secret", "kubernetes-configmap");

    private final PropertiesComponent properties;

    private PlaceholderGuard(PropertiesComponent properties) {
        super(properties);
        this.properties = properties;
    }

    /** A placeholder that never resolves. */
    static final class RefusedException extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        RefusedException(String message) {
            super(message);
        }
    }

    /** Installs the parser in a context. Does nothing when the parser is already installed. */
    public static void install(CamelContext context) {
        if (context.getPropertiesComponent() instanceof PropertiesComponent properties
                && !(properties.getPropertiesParser() instanceof PlaceholderGuard)) {
            properties.setPropertiesParser(new PlaceholderGuard(properties));
            properties.addPropertiesFunction(new Guarded("env", new EnvPropertiesFunction()));
            properties.addPropertiesFunction(new Guarded("sys", new SysPropertiesFunction()));
        }
    }

    @Override
    public String parseUri(
            String text,
            PropertiesLookup lookup,
            boolean defaultFallbackEnabled,
            boolean keepUnresolvedOptional,
            boolean nestedPlaceholder) {
        Matcher function = FUNCTION.matcher(text);
        while (function.find()) {
            String name = function.group(1);
            if (isFunction(name, lookup)) {
                throw new RefusedException("there is no placeholder function '" + name
                        + "', only env and sys; a property"
                        + " with a default has a dot or a dash in its name, such as {{my." + name + ":default}}");
            }
        }
        return super.parseUri(text, lookup, defaultFallbackEnabled, keepUnresolvedOptional, nestedPlaceholder);
    }

    private boolean isFunction(String name, PropertiesLookup lookup) {
        boolean looksLikeOne = WORD.matcher(name).matches() || FUNCTIONS_ELSEWHERE.contains(name);
        return looksLikeOne
                && properties.getPropertiesFunction(name) == null
                && System.getProperty(name) == null
                && IOHelper.lookupEnvironmentVariable(name) == null
                && lookup.lookup(name, null) == null;
    }

    @Override
    public String parseProperty(String key, String value, PropertiesLookup lookup) {
        if (key != null) {
            refuse(key, value);
        }
        return value;
    }

    private static void refuse(String name, String value) {
        if (HubSecrets.isSecret(name, value)) {
            throw new RefusedException("'" + name + "' is a secret of the hub: no flow can read it");
        }
    }

    private record Guarded(String name, PropertiesFunction function) implements PropertiesFunction {
        @Override
        public String getName() {
            return name;
        }

        @Override
        public String apply(String remainder) {
            String value = function.apply(remainder);
            refuse(remainder.split(":", 2)[0], value);
            return value;
        }
    }
}
