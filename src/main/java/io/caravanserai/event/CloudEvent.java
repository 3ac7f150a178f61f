package io.caravanserai.event;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An event in the form that travels: the attributes of CloudEvents 1.0 and its data as JSON text.
 *
 * @param id of the event; the same in each version it is emitted in, so that it has one effect
 * @param version of the data
 * @param context all of it may be null
 * @param data JSON object
 */
public record CloudEvent(
        String id, EventType type, int version, String orderId, Instant time, EventContext context, String data) {

    /** {@code source} of every event of this hub. */
    public static final String SOURCE = "/orders";

    /** {@code datacontenttype}; carried as the content type where the transport has one. */
    public static final String CONTENT_TYPE = "application/json";

    private static final DateTimeFormatter RFC_3339 =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    /** Path of the schema of its data, which names the version. */
    public String dataSchema() {
        return "/schemas/" + type + "/v" + version;
    }

    /**
     * The context attributes by their CloudEvents names, without a transport's prefix and without
     * {@code datacontenttype}; attributes without a value are left out.
     */
    public Map<String, String> attributes() {
        Map<String, String> attributes = new LinkedHashMap<>();
        attributes.put("specversion", "1.0");
        attributes.put("id", id);
        attributes.put("source", SOURCE);
        attributes.put("type", type.name());
        attributes.put("subject", orderId);
        attributes.put("time", time(time));
        attributes.put("dataschema", dataSchema());
        putIfKnown(attributes, "sagaid", context.sagaId());
        putIfKnown(attributes, "causationid", context.causationId());
        putIfKnown(attributes, "traceparent", context.traceparent());
        putIfKnown(
                attributes,
                "style",
                context.style() == null ? null : context.style().wire());
        return attributes;
    }

    /** RFC 3339, UTC, milliseconds. */
    public static String time(Instant time) {
        return RFC_3339.format(time);
    }

    private static void putIfKnown(Map<String, String> attributes, String name, String value) {
        if (value != null) {
            attributes.put(name, value);
        }
    }
}
