package io.caravanserai.flow.check;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.caravanserai.flow.yaml.DidYouMean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.CamelContext;
import org.apache.camel.CatalogCamelContext;

/**
 * Checks values of endpoint options against the metadata of Camel's components. Reports faults that Camel reports late
 * or as a Java error. Thread-safe.
 */
final class OptionValues {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, JsonNode> DESCRIPTIONS = new ConcurrentHashMap<>();

    private OptionValues() {}

    /** Returns why an option cannot have the value; empty for a valid or unverifiable value. */
    static Optional<String> fault(CamelContext context, String scheme, String option, String value) {
        JsonNode known = properties(context, scheme).path(option);
        if (known.isMissingNode() || value.contains("{{") || value.contains("${") || value.startsWith("#")) {
            return Optional.empty();
        }
        if (value.startsWith("RAW(") || value.contains("%")) {
            return Optional.empty();
        }
        if (known.path("enum").isArray()) {
            return choice(option, value, known);
        }
        String needed =
                switch (known.path("type").asText()) {
                    case "boolean" -> value.matches("(?i)true|false") ? "" : "true or false";
                    case "integer" ->
                        value.strip().matches("[+-]?[0-9]+") || isLong(known) && isDuration(value.strip())
                                ? ""
                                : "a whole number";
                    case "number" -> value.strip().matches("[+-]?[0-9.eE+-]+") ? "" : "a number";
                    case "duration" ->
                        isDuration(value.strip())
                                ? ""
                                : "a number of milliseconds, or one with a unit such as 500ms, 10s, 5m or 1h";
                    default -> "";
                };
        return needed.isEmpty()
                ? Optional.empty()
                : Optional.of("the option '" + option + "' cannot be '" + value + "': it must be " + needed);
    }

    /** Returns the name of the required path parameter of an endpoint, for example {@code timerName}. */
    static Optional<String> neededName(CamelContext context, String scheme) {
        List<String> names = new ArrayList<>();
        properties(context, scheme).properties().forEach(each -> {
            JsonNode property = each.getValue();
            if (property.path("kind").asText().equals("path")
                    && property.path("required").asBoolean()) {
                names.add(each.getKey());
            }
        });
        return names.size() == 1 ? Optional.of(names.get(0)) : Optional.empty();
    }

    /** Camel accepts a duration for every Java long. */
    private static boolean isLong(JsonNode known) {
        return known.path("javaType").asText().matches("long|java[.]lang[.]Long");
    }

    private static boolean isDuration(String value) {
        return value.matches("-?[0-9]+")
                || value.matches(
                        "(?i)([0-9]+ *(ms|millis|s|seconds?|secs?|m|minutes?|mins?|h|" + "hours?|hrs?|d|days?) *)+")
                || value.matches("(?i)P(T|[0-9]).*");
    }

    private static Optional<String> choice(String option, String value, JsonNode known) {
        List<String> choices = new ArrayList<>();
        known.path("enum").forEach(each -> choices.add(each.asText()));
        // A list, or an enum value in the syntax of newer Kafka clients.
        boolean isFree = known.path("javaType").asText().equals("java.lang.String") && value.matches(".*[:,].*");
        boolean fits = isFree || choices.stream().anyMatch(each -> plain(each).equals(plain(value)));
        return fits
                ? Optional.empty()
                : Optional.of("the option '" + option + "' cannot be '" + value + "'" + DidYouMean.of(value, choices)
                        + " (one of " + String.join(", ", choices) + ")");
    }

    private static String plain(String text) {
        return text.strip().toLowerCase(Locale.ROOT).replaceAll("[-_]", "");
    }

    private static JsonNode properties(CamelContext context, String scheme) {
        return DESCRIPTIONS.computeIfAbsent(scheme, none -> read(context, scheme));
    }

    private static JsonNode read(CamelContext context, String scheme) {
        try {
            String text = ((CatalogCamelContext) context).getComponentParameterJsonSchema(scheme);
            return JSON.readTree(text == null ? "{}" : text).path("properties");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the description of the component " + scheme + " is no JSON", e);
        } catch (IOException e) {
            throw new UncheckedIOException("the description of the component " + scheme + " cannot be read", e);
        }
    }
}
