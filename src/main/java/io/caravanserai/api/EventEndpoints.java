package io.caravanserai.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventSchemas;
import io.caravanserai.event.EventType;
import io.caravanserai.event.EventVersions;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Problem;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.order.OrderJson;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.outbox.StoredEvent;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** REST resource for the event log, the live stream, and the event schemas. */
public final class EventEndpoints implements HttpEndpoints {
    private static final String SCHEMA_JSON = "application/schema+json";

    private final EventLog log;
    private final EventSchemas schemas;
    private final EventStream stream;

    public EventEndpoints(EventLog log, EventSchemas schemas, EventStream stream) {
        this.log = log;
        this.schemas = schemas;
        this.stream = stream;
    }

    @Override
    public void register(HttpRoutes routes) {
        routes.get("/events", Permission.READ, this::events).query("orderId", "after", "limit", "cursor");
        routes.raw("/events/stream", Permission.READ, stream);
        routes.get("/schemas", Permission.READ, this::schemas);
        routes.get("/asyncapi.yaml", Permission.OPEN, this::asyncApi);
        routes.get("/schemas/{type}/{version}", Permission.READ, this::schema);
    }

    private CompletionStage<Response> events(Request request) {
        long after =
                sequence(request, "after").or(() -> sequence(request, "cursor")).orElse(0L);
        int limit = request.limit();
        Optional<String> orderId = request.query("orderId");
        CompletableFuture<List<StoredEvent>> found =
                orderId.isPresent() ? log.ofOrder(orderId.get(), after, limit + 1) : log.list(after, limit + 1);
        return found.thenApply(events -> {
            boolean more = events.size() > limit;
            List<StoredEvent> page = more ? events.subList(0, limit) : events;
            return Response.page(new Response.Page<>(
                    page.stream().map(EventEndpoints::json).toList(),
                    more ? String.valueOf(page.get(limit - 1).sequence()) : null));
        });
    }

    private static Optional<Long> sequence(Request request, String name) {
        return request.query(name).map(text -> {
            if (!text.matches("[0-9]{1,18}")) {
                throw Problem.badParameter(name, "must be the sequence of an event: a number, 0 or more")
                        .asException();
            }
            return Long.parseLong(text);
        });
    }

    /** Returns the event as structured JSON, with the sequence in the log. */
    static ObjectNode json(StoredEvent stored) {
        CloudEvent event = stored.event();
        ObjectNode json = OrderJson.MAPPER.createObjectNode();
        event.attributes().forEach(json::put);
        json.put("datacontenttype", CloudEvent.CONTENT_TYPE).put("sequence", stored.sequence());
        try {
            json.set("data", OrderJson.MAPPER.readTree(event.data()));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an event in the log is no JSON", e);
        }
        return json;
    }

    private CompletionStage<Response> schemas(Request request) {
        ArrayNode items = OrderJson.MAPPER.createArrayNode();
        for (EventType type : EventType.values()) {
            int newest = EventVersions.newest(type);
            for (int version = 1; version <= newest; version++) {
                items.addObject()
                        .put("type", type.name())
                        .put("version", "v" + version)
                        .put("newest", version == newest)
                        .put("deprecated", version < newest)
                        .put("href", "/schemas/" + type + "/v" + version);
            }
        }
        return CompletableFuture.completedFuture(
                Response.json(200, OrderJson.MAPPER.createObjectNode().set("items", items)));
    }

    private CompletionStage<Response> asyncApi(Request request) throws IOException {
        try (InputStream document = EventEndpoints.class.getResourceAsStream("/asyncapi.yaml")) {
            return CompletableFuture.completedFuture(Response.of(200, "application/yaml", document.readAllBytes()));
        }
    }

    private CompletionStage<Response> schema(Request request) {
        Optional<EventType> type = Arrays.stream(EventType.values())
                .filter(each -> each.name().equals(request.path("type")))
                .findFirst();
        String version = request.path("version");
        return CompletableFuture.completedFuture(type.filter(known -> version.matches("v?[0-9]{1,4}"))
                .flatMap(known -> schemas.text(known, Integer.parseInt(version.replace("v", ""))))
                .map(text -> Response.of(200, SCHEMA_JSON, text))
                .orElseThrow(() -> Problem.notFound("schema").asException()));
    }
}
