package io.caravanserai.event;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.OrderStyle;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Converts events to the wire format and back. Every event is checked against the schema on write and on read, and is
 * read in the newest version of the type. Thread-safe.
 */
public final class EventCodec {
    private static final Pattern DATA_SCHEMA = Pattern.compile(".*/([A-Za-z]+)/v(\\d{1,9})(?:\\.json)?");

    /** Cache size. Several subscribers of one hub read the same message; the cache avoids a second check. */
    private static final int CACHE_SIZE = 4_096;

    /** Maximum number of digits before and after the decimal point. No order total needs as many. */
    private static final int MAX_DIGITS = 30;

    private static final List<String> ATTRIBUTES = List.of(
            "specversion",
            "id",
            "type",
            "dataschema",
            "subject",
            "time",
            "style",
            "sagaid",
            "causationid",
            "traceparent");

    private static final int MAX_ATTRIBUTE_LENGTH = 255;

    /** Larger than the event of the largest order. */
    private static final int MAX_DATA_LENGTH = 4 * 1024 * 1024;

    private final EventSchemas schemas;
    private final Map<EventType, List<Integer>> emit;
    private final Map<String, Checked> checked = Collections.synchronizedMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Checked> eldest) {
            return size() > CACHE_SIZE;
        }
    });

    /** Keeps the text, because the check holds for equal text only: an equal id proves nothing. */
    private record Checked(EventType type, String orderId, String text, String newest) {
        boolean covers(CloudEvent event) {
            return type == event.type() && orderId.equals(event.orderId()) && text.equals(event.data());
        }
    }

    /** @param emit versions to write, by type; an absent type is written in the newest version */
    public EventCodec(EventSchemas schemas, Map<EventType, List<Integer>> emit) {
        this.schemas = schemas;
        this.emit = Map.copyOf(emit);
        emit.forEach((type, versions) -> versions.forEach(version -> {
            if (schemas.text(type, version).isEmpty()) {
                throw new IllegalArgumentException("hub.events.emit." + type + ": no version " + version + " exists"
                        + "; the newest is " + EventVersions.newest(type));
            }
        }));
    }

    /**
     * Encodes an event in each emitted version.
     *
     * @param newest the event in the newest version
     * @throws InvalidEventException when the data violates the schema
     */
    public List<CloudEvent> write(CloudEvent newest) {
        List<CloudEvent> written = new ArrayList<>(1);
        for (int version : emit.getOrDefault(newest.type(), List.of(newest.version()))) {
            ObjectNode data = parse(newest.data());
            EventVersions.downcast(newest.type(), version, data);
            String text = version == newest.version() ? newest.data() : data.toString();
            check(newest.type(), version, newest.orderId(), data);
            CloudEvent event = new CloudEvent(
                    newest.id(), newest.type(), version, newest.orderId(), newest.time(), newest.context(), text);
            remember(event, newest.data());
            written.add(event);
        }
        return written;
    }

    /**
     * Decodes and checks the event of a message, without converting the version.
     *
     * @param attributes by CloudEvents name, without the prefix of a transport
     * @throws InvalidEventException with the reason, when the message is not a valid event
     */
    public CloudEvent read(Map<String, String> attributes, String data) {
        checkLengths(attributes, data);
        if (!"1.0".equals(attributes.get("specversion"))) {
            throw new InvalidEventException(
                    "invalid-event",
                    "not a CloudEvent 1.0 in binary mode: specversion is " + attributes.get("specversion"));
        }
        EventType type = type(required(attributes, "type"));
        int version = version(type, attributes.get("dataschema"));
        CloudEvent event = new CloudEvent(
                required(attributes, "id"),
                type,
                version,
                required(attributes, "subject"),
                time(attributes.get("time")),
                new EventContext(
                        attributes.get("sagaid"),
                        attributes.get("causationid"),
                        attributes.get("traceparent"),
                        style(attributes.get("style"))),
                data);
        if (data == null) {
            throw new InvalidEventException("invalid-event", "the message has no text body");
        }
        if (remembered(event) == null) {
            ObjectNode json = parse(data);
            check(type, version, event.orderId(), json);
            EventVersions.upcast(type, version, json);
            String newest = version == EventVersions.newest(type) ? data : json.toString();
            remember(event, newest);
        }
        return event;
    }

    /** Runs before any parsing, because any client may have sent the message. */
    private static void checkLengths(Map<String, String> attributes, String data) {
        for (String name : ATTRIBUTES) {
            String value = attributes.get(name);
            if (value != null && value.length() > MAX_ATTRIBUTE_LENGTH) {
                throw new InvalidEventException(
                        "invalid-event",
                        "the attribute " + name + " has " + value.length() + " characters; the maximum is "
                                + MAX_ATTRIBUTE_LENGTH);
            }
        }
        if (data != null && data.length() > MAX_DATA_LENGTH) {
            throw new InvalidEventException(
                    "invalid-event",
                    "the data has " + data.length() + " characters; the maximum is " + MAX_DATA_LENGTH);
        }
    }

    /** Converts the data of an event to the newest version of the type. Accepts only results of {@link #read}. */
    public CloudEvent newest(CloudEvent event) {
        int newest = EventVersions.newest(event.type());
        if (event.version() == newest) {
            return event;
        }
        String text = remembered(event);
        if (text == null) {
            ObjectNode json = parse(event.data());
            EventVersions.upcast(event.type(), event.version(), json);
            text = json.toString();
        }
        return new CloudEvent(event.id(), event.type(), newest, event.orderId(), event.time(), event.context(), text);
    }

    private void remember(CloudEvent event, String newest) {
        checked.put(
                event.id() + '/' + event.version(), new Checked(event.type(), event.orderId(), event.data(), newest));
    }

    /** The newest form of an event in the cache; null when the event is not cached. */
    private String remembered(CloudEvent event) {
        Checked before = checked.get(event.id() + '/' + event.version());
        return before != null && before.covers(event) ? before.newest() : null;
    }

    private void check(EventType type, int version, String orderId, ObjectNode data) {
        schemas.faults(type, version, data).ifPresent(faults -> {
            throw new InvalidEventException(
                    "invalid-event", "the data does not match " + type + " v" + version + ": " + faults);
        });
        if (!orderId.equals(data.path("orderId").textValue())) {
            throw new InvalidEventException(
                    "invalid-event", "the subject " + orderId + " is not the orderId of the data");
        }
    }

    private static ObjectNode parse(String data) {
        try {
            JsonNode json = OrderJson.MAPPER.readTree(data);
            if (!(json instanceof ObjectNode object)) {
                throw new InvalidEventException("invalid-event", "the data is not a JSON object");
            }
            if (hasOversizedNumber(object)) {
                throw new InvalidEventException("invalid-event", "the data has a number with too many digits");
            }
            return object;
        } catch (JsonProcessingException e) {
            throw new InvalidEventException("invalid-event", "the data is not valid JSON: " + e.getOriginalMessage());
        } catch (NumberFormatException e) {
            // The parser throws NumberFormatException for an exponent with too many digits.
            throw new InvalidEventException("invalid-event", "the data has a number that cannot be parsed");
        }
    }

    /**
     * Whether the data has a number with too many digits. A short text, for example 1e999999999, becomes a number that
     * fills the memory during arithmetic.
     */
    private static boolean hasOversizedNumber(JsonNode node) {
        if (node.isContainerNode()) {
            for (JsonNode each : node) {
                if (hasOversizedNumber(each)) {
                    return true;
                }
            }
            return false;
        }
        if (!node.isBigDecimal() && !node.isBigInteger()) {
            return false;
        }
        BigDecimal number = node.decimalValue();
        return number.scale() > MAX_DIGITS || (long) number.precision() - number.scale() > MAX_DIGITS;
    }

    private static String required(Map<String, String> attributes, String name) {
        String value = attributes.get(name);
        if (value == null || value.isEmpty()) {
            throw new InvalidEventException("invalid-event", "the attribute " + name + " is missing");
        }
        return value;
    }

    private static OrderStyle style(String name) {
        if (name == null) {
            return null;
        }
        return OrderStyle.of(name)
                .orElseThrow(() -> new InvalidEventException(
                        "invalid-event", "the attribute style is not a valid style: " + name));
    }

    private static EventType type(String name) {
        for (EventType type : EventType.values()) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        throw new InvalidEventException("unknown-type", "unknown event type " + name);
    }

    private int version(EventType type, String dataSchema) {
        if (dataSchema == null) {
            throw new InvalidEventException("unknown-version", "the attribute dataschema is missing");
        }
        Matcher path = DATA_SCHEMA.matcher(dataSchema);
        if (!path.matches()
                || !path.group(1).equals(type.name())
                || schemas.text(type, Integer.parseInt(path.group(2))).isEmpty()) {
            throw new InvalidEventException("unknown-version", "unknown schema " + dataSchema + " of the type " + type);
        }
        return Integer.parseInt(path.group(2));
    }

    private static Instant time(String text) {
        try {
            OffsetDateTime time = OffsetDateTime.parse(text == null ? "" : text);
            // Java accepts years outside RFC 3339, and time arithmetic with these years fails.
            if (time.getYear() < 0 || time.getYear() > 9999) {
                throw new DateTimeParseException("not a year of four digits", text, 0);
            }
            return time.toInstant();
        } catch (DateTimeParseException e) {
            throw new InvalidEventException("invalid-event", "the attribute time is not an RFC 3339 time: " + text);
        }
    }
}
