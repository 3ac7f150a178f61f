package io.caravanserai.flow.check;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.camel.util.IOHelper;

/**
 * Identifies the settings with passwords and keys of the hub. The contract and the README guarantee that no flow can
 * read these settings.
 */
final class HubSecrets {
    /** Parts of a setting name, in the form of an environment variable, that mark a secret. */
    private static final List<String> PARTS =
            List.of("SECURITY", "PASSWORD", "PASSWD", "SECRET", "TOKEN", "CREDENTIAL", "TLS_KEY");

    private static final Pattern LOGIN =
            Pattern.compile("//[^/?#]*@|(?i)(?:password|passwd|user|secret|token)\\s*=", Pattern.CASE_INSENSITIVE);
    /** A setting with a value in an option of Java: {@code -Dhub.store.password=...}. */
    private static final Pattern ASSIGNMENT = Pattern.compile("hub[._][a-z0-9._-]*", Pattern.CASE_INSENSITIVE);

    private HubSecrets() {}

    /**
     * Whether a flow must not read the value of a name.
     * @param name of a property, a system property or an environment variable, in any spelling
     * @param value null without a value
     */
    static boolean isSecret(String name, String value) {
        String variable = variable(name);
        if (variable.startsWith("HUB_")) {
            return PARTS.stream().anyMatch(variable::contains)
                    || value != null && LOGIN.matcher(value).find();
        }
        return value != null
                && ASSIGNMENT
                        .matcher(value)
                        .results()
                        .anyMatch(found -> value.startsWith("=", found.end())
                                && isSecret(found.group(), value.substring(found.end() + 1)));
    }

    /** Like the method above, with the value of this process, from a system property or a variable. */
    static boolean isSecret(String name) {
        String value =
                Optional.ofNullable(System.getProperty(name)).orElseGet(() -> IOHelper.lookupEnvironmentVariable(name));
        return isSecret(name, value);
    }

    private static String variable(String name) {
        return name.strip().replaceAll("[^A-Za-z0-9]+", "_").toUpperCase(Locale.ROOT);
    }
}
