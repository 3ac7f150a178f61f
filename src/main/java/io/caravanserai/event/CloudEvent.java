package io.caravanserai.event;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An event in the wire format: the attributes of CloudEvents 1.0 and the data as JSON text.
 *
 * @param id event id; equal in all emitted versions of one event, so that the event has one effect
 * @param version version of the data
 * @param context any component may be null
 * @param data JSON object
 */
public record CloudEvent(
        String id, EventType type, int version, String orderId, Instant time, EventContext context, String data) {

    /** {@code source} of every event of this hub. */
    public static final String SOURCE = "/orders";

    /** {@code datacontenttype}; sent as the content type where the transport has a content type. */
    public static final String CONTENT_TYPE = "application/json";

    private static final DateTimeFormatter RFC_3339 =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    /** Path of the schema of the data; the path contains the version. */
    public String dataSchema() {
        return "/schemas/" + type + "/v" + version;
    }

    /**
     * The context attributes by CloudEvents name, without the prefix of a transport, without {@code datacontenttype},
     * and without absent attributes.
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
