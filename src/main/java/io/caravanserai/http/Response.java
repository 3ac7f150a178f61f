package io.caravanserai.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.caravanserai.order.OrderJson;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An HTTP response. Immutable. */
public final class Response {
    public static final String JSON = "application/json";
    private static final byte[] NOTHING = new byte[0];

    private final int status;
    private final Map<String, String> headers;
    private final byte[] body;

    private Response(int status, Map<String, String> headers, byte[] body) {
        this.status = status;
        this.headers = headers;
        this.body = body;
    }

    /** @param value any value that the JSON mapper of the hub can write; null members are omitted */
    public static Response json(int status, Object value) {
        try {
            return of(status, JSON, OrderJson.MAPPER.writeValueAsBytes(value));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an answer could not be written as JSON", e);
        }
    }

    /** A page of a list: {@code {"items": [...], "nextCursor": "..."}}. */
    public static Response page(Page<?> page) {
        return json(200, page);
    }

    public static Response of(int status, String mediaType, String text) {
        return of(status, mediaType, text.getBytes(StandardCharsets.UTF_8));
    }

    /** @param body kept without a copy: must not be changed any more */
    public static Response of(int status, String mediaType, byte[] body) {
        return new Response(status, Map.of("Content-Type", mediaType), body);
    }

    public static Response noContent() {
        return new Response(204, Map.of(), NOTHING);
    }

    /** The response to a conditional GET when the client has the current text. */
    public static Response notModified() {
        return new Response(304, Map.of(), NOTHING);
    }

    /** Returns a copy with the header added or replaced. */
    public Response with(String header, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(header, value);
        return new Response(status, Collections.unmodifiableMap(more), body);
    }

    public int status() {
        return status;
    }

    public Map<String, String> headers() {
        return headers;
    }

    /** Not a copy: must not be changed. */
    public byte[] body() {
        return body;
    }

    /**
     * A page of a list.
     * @param nextCursor null on the last page
     */
    public record Page<T>(List<T> items, String nextCursor) {}
}
