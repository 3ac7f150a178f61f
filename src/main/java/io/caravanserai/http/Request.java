package io.caravanserai.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import io.caravanserai.http.Problem.Fault;
import io.caravanserai.order.OrderJson;
import io.vertx.core.MultiMap;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** A request with a checked permission and a complete body. */
public final class Request {
    private static final int USUAL_LIMIT = 50;
    private static final int MOST = 200;

    /** Rejects values of another type instead of converting the values. */
    private static final JsonMapper STRICT = OrderJson.MAPPER
            .rebuild()
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .withCoercionConfig(
                    LogicalType.Textual,
                    config -> config.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                            .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                            .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
            .build();

    private final Map<String, String> pathParameters;
    private final MultiMap headers;
    private final byte[] body;
    private final String caller;
    private final Map<String, List<String>> query;

    Request(String query, Map<String, String> pathParameters, MultiMap headers, byte[] body, String caller) {
        this.query = QueryParameters.parse(query);
        this.pathParameters = pathParameters;
        this.headers = headers;
        this.body = body;
        this.caller = caller;
    }

    /** Name of the API key of the caller; {@code anonymous} when the hub has no keys. */
    public String caller() {
        return caller;
    }

    /** Name of the API key of the caller; empty when the hub has no keys. */
    public Optional<String> keyName() {
        return Optional.of(caller).filter(name -> !name.equals(AuthFilter.ANONYMOUS));
    }

    /** The decoded value of a path parameter. */
    public String path(String name) {
        return pathParameters.get(name);
    }

    /** The first value of a header; empty when absent. */
    public Optional<String> header(String name) {
        return Optional.ofNullable(headers.get(name));
    }

    /** All values of a header. */
    public List<String> headers(String name) {
        return headers.getAll(name);
    }

    /**
     * The decoded value of a query parameter; empty when absent or without a value.
     * @throws ProblemException 400, for a repeated parameter
     */
    public Optional<String> query(String name) {
        List<String> values = query.getOrDefault(name, List.of());
        if (values.size() > 1) {
            throw Problem.badParameter(name, "given more than once").asException();
        }
        return values.stream().filter(value -> !value.isEmpty()).findFirst();
    }

    /**
     * The query parameter {@code limit}, with the default 50.
     * @throws ProblemException 400, outside 1 to 200
     */
    public int limit() {
        return query("limit")
                .map(text -> {
                    if (!text.matches("[0-9]{1,3}") || Integer.parseInt(text) < 1 || Integer.parseInt(text) > MOST) {
                        throw Problem.badParameter("limit", "must be a number from 1 to " + MOST)
                                .asException();
                    }
                    return Integer.parseInt(text);
                })
                .orElse(USUAL_LIMIT);
    }

    /** At most 1 MiB; empty without a body. Not a copy: must not be changed. */
    public byte[] body() {
        return body;
    }

    /**
     * The body as text.
     * @throws ProblemException 400, when the body is not UTF-8
     */
    public String text() {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body))
                    .toString();
        } catch (CharacterCodingException e) {
            throw Problem.of(400, "the body is not UTF-8 text").asException();
        }
    }

    /**
     * The body as an object of a type; unknown members are faults.
     * @throws ProblemException 400, when the body is no JSON; 422, when the JSON does not match the type
     */
    public <T> T json(Class<T> type) {
        JsonNode tree = tree();
        try {
            T value = STRICT.treeToValue(tree, type);
            if (value == null) {
                throw Problem.invalid(List.of(new Fault("#", "must not be null")))
                        .asException();
            }
            return value;
        } catch (JsonProcessingException e) {
            String pointer = e instanceof JsonMappingException mapping ? pointer(mapping) : "#";
            throw Problem.invalid(List.of(new Fault(pointer, fault(e)))).asException();
        }
    }

    /** In terms of JSON, because the messages of the parser contain class names. */
    private static String fault(JsonProcessingException e) {
        if (e instanceof UnrecognizedPropertyException) {
            return "is not a known field";
        }
        if (e.getCause() instanceof InputCoercionException) {
            return "is out of range";
        }
        Class<?> wanted = e instanceof MismatchedInputException mismatch ? mismatch.getTargetType() : null;
        if (wanted == Integer.class) {
            return "must be a whole number";
        }
        if (wanted == BigDecimal.class) {
            return "must be a number";
        }
        if (wanted == String.class) {
            return "must be a string";
        }
        return wanted != null && List.class.isAssignableFrom(wanted) ? "must be a list" : "must be an object";
    }

    /**
     * The body as an object with these members only.
     * @throws ProblemException 400, when the body is no JSON; 422, for another type or other members
     */
    public ObjectNode object(String... members) {
        if (!(tree() instanceof ObjectNode object)) {
            throw Problem.invalid(List.of(new Fault("#", "must be an object"))).asException();
        }
        List<Fault> faults = new ArrayList<>();
        object.fieldNames().forEachRemaining(name -> {
            if (!List.of(members).contains(name) && faults.size() < MOST) {
                faults.add(new Fault("#/" + name.replace("~", "~0").replace("/", "~1"), "is not a known field"));
            }
        });
        if (!faults.isEmpty()) {
            throw Problem.invalid(faults).asException();
        }
        return object;
    }

    private JsonNode tree() {
        try {
            JsonNode tree = OrderJson.MAPPER.readTree(text());
            if (tree.isMissingNode()) {
                throw Problem.of(400, "there is no body").asException();
            }
            return tree;
        } catch (JsonProcessingException e) {
            throw Problem.of(400, "the body is not JSON: " + JsonFault.of(e)).asException();
        } catch (NumberFormatException e) {
            // The parser throws this exception unwrapped for an exponent with too many digits.
            throw Problem.of(400, "the body has a number that cannot be read").asException();
        }
    }

    private static String pointer(JsonMappingException fault) {
        return fault.getPath().stream()
                .map(step -> "/" + (step.getFieldName() == null ? step.getIndex() : step.getFieldName()))
                .collect(Collectors.joining("", "#", ""));
    }
}
