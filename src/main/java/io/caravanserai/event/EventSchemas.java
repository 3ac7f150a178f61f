package io.caravanserai.event;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import io.caravanserai.order.OrderJson;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The JSON Schemas of all versions of all types. Thread-safe. */
public final class EventSchemas {
    private final Map<EventType, Map<Integer, Schema>> schemas = new EnumMap<>(EventType.class);

    private record Schema(String text, JsonSchema validator) {}

    public EventSchemas() {
        JsonSchemaFactory factory = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);
        SchemaValidatorsConfig config =
                SchemaValidatorsConfig.builder().failFast(false).build();
        for (EventType type : EventType.values()) {
            Map<Integer, Schema> versions = new TreeMap<>();
            for (int version = 1; version <= EventVersions.newest(type); version++) {
                String text = resource("/schemas/" + type + "/v" + version + ".json");
                versions.put(version, new Schema(text, factory.getSchema(text, config)));
            }
            schemas.put(type, versions);
        }
    }

    /** The text of the schema; empty when the type does not have the version. */
    public Optional<String> text(EventType type, int version) {
        return Optional.ofNullable(schemas.get(type).get(version)).map(Schema::text);
    }

    /** The schema violations as text for people; empty when the data is valid. */
    Optional<String> faults(EventType type, int version, JsonNode data) {
        var faults = schemas.get(type).get(version).validator().validate(data);
        return faults.isEmpty()
                ? Optional.empty()
                : Optional.of(faults.stream()
                        .map(ValidationMessage::getMessage)
                        .sorted()
                        .collect(Collectors.joining("; ")));
    }

    private static String resource(String path) {
        try (InputStream in = EventSchemas.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException("no schema " + path + " on the class path");
            }
            // Parsed once at start: the served text is the validated text.
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            OrderJson.MAPPER.readTree(text);
            return text;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
