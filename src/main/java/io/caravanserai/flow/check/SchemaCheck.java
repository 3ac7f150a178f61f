package io.caravanserai.flow.check;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.networknt.schema.JsonMetaSchema;
import com.networknt.schema.JsonNodePath;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.NonValidationKeyword;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.ValidationMessage;
import io.caravanserai.flow.yaml.DidYouMean;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** Checks a tree against the JSON schema of Camel's YAML, and reports faults in terms of the flow text. */
public final class SchemaCheck {
    private static final String RESOURCE = "/schema/camelYamlDsl.json";

    /** Keys that the saga checks of the hub read in the spelling of Camel's documentation. */
    private static final Set<String> SPELLED_EXACTLY = Set.of("propagation", "completionMode");

    private static final Set<String> SUB_EXPRESSIONS = Set.of("handled", "continued", "retryWhile");

    private SchemaCheck() {}

    /** Loaded at the first use, because the schema is large. */
    private static final class Camel {
        static final JsonSchema SCHEMA = read();

        private static JsonSchema read() {
            try (InputStream in = SchemaCheck.class.getResourceAsStream(RESOURCE)) {
                JsonNode schema = new ObjectMapper().readTree(in);
                // Camel accepts 5 for a text and "5" for a number, so types of scalars are not checked. Steps nest
                // without a limit: a preloaded schema would take 250 MB.
                SchemaValidatorsConfig config = SchemaValidatorsConfig.builder()
                        .typeLoose(true)
                        .preloadJsonSchema(false)
                        .build();
                JsonMetaSchema draft4 = JsonMetaSchema.builder(JsonMetaSchema.getV4())
                        .keyword(new NonValidationKeyword("deprecated"))
                        .build();
                return JsonSchemaFactory.builder()
                        .defaultMetaSchemaIri(draft4.getIri())
                        .metaSchema(draft4)
                        .build()
                        .getSchema(schema, config);
            } catch (IOException e) {
                throw new UncheckedIOException("camel-yaml-dsl has no " + RESOURCE, e);
            }
        }
    }

    /** Loads the schema unless loaded. */
    public static void prepare() {
        Objects.requireNonNull(Camel.SCHEMA);
    }

    public static List<Fault> check(String file, Node root) {
        if (!(root instanceof SequenceNode)) {
            return List.of(Fault.at(file, root, "a flow file is a list: begin each route with '- route:'"));
        }
        JsonNode json = json(root);
        Set<ValidationMessage> errors = Camel.SCHEMA.validate(json);
        if (spellAsListed(json, errors)) {
            errors = Camel.SCHEMA.validate(json);
        }
        List<Fault> unknown = errors.stream()
                .filter(error -> error.getType().equals("additionalProperties"))
                .map(error -> unknownKey(file, root, error))
                .distinct()
                .toList();
        return unknown.isEmpty() ? deepest(file, root, errors) : unknown;
    }

    private static Fault unknownKey(String file, Node root, ValidationMessage error) {
        SchemaLocation spot = SchemaLocation.of(root, error.getInstanceLocation());
        String key = error.getProperty();
        Collection<String> known = known(error);
        if (key.equals("steps") && known.contains("from")) {
            return Fault.at(file, spot.key(key), "'steps' belongs into 'from': indent it under 'from', beside 'uri'");
        }
        Optional<String> step = spot.isStep() ? stepBeside(spot, key, known) : Optional.empty();
        if (step.isPresent()) {
            return Fault.at(
                    file,
                    spot.key(key),
                    "'" + key + "' is no step: if it belongs to '" + step.get() + "', indent it further than that");
        }
        String what = spot.isStep() ? "unknown step '" : "unknown key '";
        return Fault.at(file, spot.key(key), what + key + "'" + DidYouMean.of(key, known) + spot.inside());
    }

    /** Returns a step in the same list item as an unknown key. */
    private static Optional<String> stepBeside(SchemaLocation spot, String key, Collection<String> known) {
        return spot.keys().stream()
                .filter(each -> !each.equals(key))
                .filter(known::contains)
                .findFirst();
    }

    private static Collection<String> known(ValidationMessage error) {
        List<String> names = new ArrayList<>();
        JsonNode properties = error.getSchemaNode() == null ? null : parentProperties(error);
        if (properties != null) {
            properties.fieldNames().forEachRemaining(names::add);
        }
        return names;
    }

    private static JsonNode parentProperties(ValidationMessage error) {
        // The schema location ends with /additionalProperties; the sibling lists the known keys.
        JsonNodePath path = error.getSchemaLocation().getFragment().getParent();
        JsonNode node = Camel.SCHEMA.getSchemaNode();
        for (int i = 0; i < path.getNameCount(); i++) {
            Object element = path.getElement(i);
            node = element instanceof Integer index ? node.path(index) : node.path(element.toString());
        }
        return node.path("properties");
    }

    /**
     * Returns the faults of the innermost places only: an alternative that does not match also produces errors at every
     * parent.
     */
    private static List<Fault> deepest(String file, Node root, Set<ValidationMessage> errors) {
        Map<String, List<ValidationMessage>> places = errors.stream()
                .collect(Collectors.groupingBy(
                        error -> error.getInstanceLocation().toString(), LinkedHashMap::new, Collectors.toList()));
        List<Fault> faults = new ArrayList<>();
        places.forEach((place, there) -> {
            boolean innermost = places.keySet().stream().noneMatch(other -> other.startsWith(place + "/"));
            if (innermost) {
                SchemaLocation spot = SchemaLocation.of(root, there.get(0).getInstanceLocation());
                faults.add(Fault.at(file, spot.place(), message(spot, there)));
            }
        });
        return faults;
    }

    private static String message(SchemaLocation spot, List<ValidationMessage> errors) {
        List<String> missing = errors.stream()
                .filter(error -> error.getType().equals("required"))
                .map(ValidationMessage::getProperty)
                .distinct()
                .toList();
        for (ValidationMessage error : errors) {
            switch (error.getType()) {
                case "enum" -> {
                    return badChoice(spot, error);
                }
                case "maxProperties" -> {
                    return "a step has one name: indent or begin a new item with '- '";
                }
                case "type" -> {
                    String needed = String.valueOf(
                            error.getSchemaNode() == null
                                    ? ""
                                    : error.getSchemaNode().asText());
                    return "'" + spot.name() + "' cannot be " + spot.kind() + needed(needed);
                }
                default -> {
                    // Other faults, or deeper faults, report this.
                }
            }
        }
        if (missing.size() == 1) {
            return "'" + spot.name() + "' needs '" + missing.get(0) + "'";
        }
        List<String> expressions =
                spot.keys().stream().filter(StepNeeds.LANGUAGES::contains).toList();
        if (!missing.isEmpty() && expressions.size() > 1) {
            return "'" + spot.name() + "' has more than one expression: leave one of " + String.join(", ", expressions);
        }
        if (!missing.isEmpty() && missing.stream().noneMatch(StepNeeds.LANGUAGES::contains)) {
            return "'" + spot.name() + "' needs '" + String.join("' and '", missing) + "'";
        }
        if (!missing.isEmpty()) {
            return "'" + spot.name() + "' needs an expression, such as simple, constant, header or jsonpath";
        }
        return "'" + spot.name() + "': " + errors.get(0).getMessage();
    }

    private static String needed(String type) {
        return switch (type) {
            case "array" -> ": it must be a list, each item with '- '";
            case "object" -> ": it must be a group of keys";
            case "boolean" -> ": it must be true or false";
            case "integer" -> ": it must be a whole number";
            case "number" -> ": it must be a number";
            default -> "";
        };
    }

    private static String badChoice(SchemaLocation spot, ValidationMessage error) {
        List<String> choices = new ArrayList<>();
        JsonNode listed = error.getSchemaNode();
        if (listed != null && listed.isArray()) {
            listed.forEach(choice -> choices.add(choice.asText()));
        }
        String value = spot.node() instanceof ScalarNode scalar ? scalar.getValue() : "";
        return "'" + spot.name() + "' cannot be '" + value + "'" + DidYouMean.of(value, choices) + " (one of "
                + String.join(", ", choices) + ")";
    }

    /**
     * Replaces values that differ from the schema in case only, because Camel ignores the case.
     * @return whether a value was changed
     */
    private static boolean spellAsListed(JsonNode root, Set<ValidationMessage> errors) {
        boolean changed = false;
        for (ValidationMessage error : errors) {
            JsonNodePath path = error.getInstanceLocation();
            if (error.getType().equals("enum")
                    && error.getSchemaNode() != null
                    && error.getInstanceNode() instanceof TextNode value
                    && !SPELLED_EXACTLY.contains(path.getName(-1))
                    && at(root, path.getParent()) instanceof ObjectNode parent) {
                for (JsonNode choice : error.getSchemaNode()) {
                    if (choice.asText().equalsIgnoreCase(value.asText())) {
                        parent.set(path.getName(-1), choice);
                        changed = true;
                    }
                }
            }
        }
        return changed;
    }

    private static JsonNode at(JsonNode root, JsonNodePath path) {
        JsonNode node = root;
        for (int i = 0; i < path.getNameCount(); i++) {
            Object element = path.getElement(i);
            node = element instanceof Integer index ? node.path(index) : node.path(element.toString());
        }
        return node;
    }

    /** Camel accepts an expression where the schema allows only languages. */
    private static Node unwrapped(String key, Node value) {
        boolean isWrapped = SUB_EXPRESSIONS.contains(key)
                && value instanceof MappingNode group
                && group.getValue().size() == 1;
        return isWrapped
                ? Nodes.value(value, "expression")
                        .filter(MappingNode.class::isInstance)
                        .orElse(value)
                : value;
    }

    private static JsonNode json(Node node) {
        JsonNodeFactory factory = JsonNodeFactory.instance;
        if (node instanceof SequenceNode sequence) {
            ArrayNode array = factory.arrayNode();
            sequence.getValue().forEach(item -> array.add(json(item)));
            return array;
        }
        if (node instanceof MappingNode mapping) {
            ObjectNode object = factory.objectNode();
            for (NodeTuple tuple : mapping.getValue()) {
                String key = ((ScalarNode) tuple.getKeyNode()).getValue();
                object.set(key, json(unwrapped(key, tuple.getValueNode())));
            }
            return object;
        }
        boolean empty = node.getTag().equals(Tag.NULL);
        String text = ((ScalarNode) node).getValue();
        boolean isYesOrNo = text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false");
        return empty ? NullNode.getInstance() : factory.textNode(isYesOrNo ? text.toLowerCase(Locale.ROOT) : text);
    }
}
