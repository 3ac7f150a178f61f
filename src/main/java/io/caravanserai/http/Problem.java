package io.caravanserai.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravanserai.order.OrderJson;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Problem details of RFC 9457. Immutable.
 * @param detail the fault of this request, as text for the caller
 * @param members further members of the document, in this order
 */
public record Problem(int status, String detail, Map<String, Object> members) {
    public static final String MEDIA_TYPE = "application/problem+json";

    /**
     * A fault at one place of a JSON document.
     * @param pointer JSON pointer as a URI fragment, for example {@code #/items/0/quantity}
     */
    public record Fault(String pointer, String detail) {}

    public static Problem of(int status, String detail) {
        return new Problem(status, detail, Map.of());
    }

    /** @param what noun for the text "there is no such ..." */
    public static Problem notFound(String what) {
        return of(404, "there is no such " + what);
    }

    /** A query parameter or header with an invalid value. */
    public static Problem badParameter(String name, String detail) {
        return of(400, name + ": " + detail).with("parameter", name);
    }

    /** Valid JSON that violates rules. */
    public static Problem invalid(List<Fault> faults) {
        String detail = faults.size() == 1 ? "1 fault" : faults.size() + " faults";
        return of(422, detail).with("errors", faults);
    }

    /** Returns a copy with one more member; returns this problem when the value is null. */
    public Problem with(String member, Object value) {
        if (value == null) {
            return this;
        }
        Map<String, Object> more = new LinkedHashMap<>(members);
        more.put(member, value);
        return new Problem(status, detail, more);
    }

    /** Returns the JSON document. */
    public ObjectNode json() {
        ObjectNode document = OrderJson.MAPPER
                .createObjectNode()
                .put("type", "about:blank")
                .put("title", HttpResponseStatus.valueOf(status).reasonPhrase())
                .put("status", status)
                .put("detail", detail);
        members.forEach((name, value) -> document.set(name, OrderJson.MAPPER.valueToTree(value)));
        return document;
    }

    public Response response() {
        return Response.of(status, MEDIA_TYPE, json().toString());
    }

    /** Returns an exception for the handler of an endpoint. */
    public ProblemException asException() {
        return new ProblemException(this);
    }
}
