package io.caravanserai.flow.check;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.camel.util.IOHelper;

/**
 * Which settings of the hub hold its own passwords and keys. A flow never reads these, whatever road it takes: the
 * contract of the hub, and README, say so.
 */
final class HubSecrets {
    /** Parts of a setting's name, written as an environment variable, that make it a secret. */
    private static final List<String> PARTS =
            List.of("SECURITY", "PASSWORD", "PASSWD", "SECRET", "TOKEN", "CREDENTIAL", "TLS_KEY");

    private static final Pattern LOGIN =
            Pattern.compile("//[^/?#]*@|(?i)(?:password|passwd|user|secret|token)\\s*=", Pattern.CASE_INSENSITIVE);
    /** A setting of the hub with a value, as Java's own options carry them: {@code -Dhub.store.password=...}. */
    private static final Pattern ASSIGNMENT = Pattern.compile("hub[._][a-z0-9._-]*", Pattern.CASE_INSENSITIVE);

    private HubSecrets() {}

    /**
     * Whether the value of a name must not be read.
     *
     * @param name of a property, a system property or an environment variable, in any spelling
     * @param value null when there is none
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

    /** The same for a name whose value is that of this process, whether as a property or as a variable. */
    static boolean isSecret(String name) {
        String value =
                Optional.ofNullable(System.getProperty(name)).orElseGet(() -> IOHelper.lookupEnvironmentVariable(name));
        return isSecret(name, value);
    }

    private static String variable(String name) {
        return name.strip().replaceAll("[^A-Za-z0-9]+", "_").toUpperCase(Locale.ROOT);
    }
}
