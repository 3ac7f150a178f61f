package io.caravanserai.intake;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.PathType;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import io.caravanserai.http.JsonFault;
import io.caravanserai.http.Problem.Fault;
import io.caravanserai.order.Currency;
import io.caravanserai.order.Money;
import io.caravanserai.order.Order;
import io.caravanserai.order.OrderJson;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * Parses orders, with the same rules for every ingress. {@code schemas/order.json} checks the form, {@link OrderRules}
 * checks rules beyond the schema. Thread-safe.
 */
public final class OrderReader {
    static final int MOST_ITEMS = 1_000;
    /**
     * Above the number of fields of an order with {@link #MOST_ITEMS} items: a larger document is refused without a
     * check of each field.
     */
    private static final int MOST_MEMBERS = 4_000;

    private final JsonSchema schema;
    private final Supplier<String> ids;

    /** @param ids for orders without an id */
    public OrderReader(Supplier<String> ids) {
        this.ids = ids;
        this.schema = schema();
    }

    private static JsonSchema schema() {
        SchemaValidatorsConfig config = SchemaValidatorsConfig.builder()
                .pathType(PathType.JSON_POINTER)
                .locale(Locale.ENGLISH)
                .build();
        try (InputStream text = OrderReader.class.getResourceAsStream("/schemas/order.json")) {
            return JsonSchemaFactory.getInstance(VersionFlag.V202012).getSchema(text, InputFormat.JSON, config);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Parses one order. Never throws, for any bytes. */
    public ParseResult read(byte[] body) {
        JsonNode json;
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body))
                    .toString();
            json = OrderJson.MAPPER.readTree(text);
        } catch (CharacterCodingException e) {
            return new ParseResult.Unreadable("the text is not UTF-8");
        } catch (JsonProcessingException e) {
            return new ParseResult.Unreadable("the text is not JSON: " + JsonFault.of(e) + position(e));
        } catch (NumberFormatException e) {
            // The parser throws this exception unwrapped for an exponent with too many digits.
            return new ParseResult.Unreadable("the text has a number that cannot be read");
        }
        if (json.isMissingNode()) {
            return new ParseResult.Unreadable("there is no text");
        }
        return check(json);
    }

    private static String position(JsonProcessingException e) {
        return e.getLocation() == null
                ? ""
                : " (line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr() + ")";
    }

    private ParseResult check(JsonNode json) {
        JsonNode items = json.path("items");
        if (items.isArray() && items.size() > MOST_ITEMS) {
            return invalid("#/items", "must have at most " + MOST_ITEMS + " items but has " + items.size());
        }
        int members = json.size() + json.path("shippingAddress").size();
        for (JsonNode item : items) {
            members += item.size();
        }
        if (members > MOST_MEMBERS) {
            return invalid("#", "has " + members + " fields; the largest order has fewer");
        }
        List<Fault> faults = new ArrayList<>();
        JsonNode tame = NumberNormalizer.in(json);
        for (ValidationMessage message : schema.validate(tame)) {
            faults.add(fault(message));
        }
        OrderRules.check(tame, faults);
        return faults.isEmpty()
                ? new ParseResult.Valid(order(tame), tame.has("orderId"))
                : new ParseResult.Invalid(List.copyOf(faults));
    }

    private static ParseResult invalid(String pointer, String detail) {
        return new ParseResult.Invalid(List.of(new Fault(pointer, detail)));
    }

    private static Fault fault(ValidationMessage message) {
        String pointer = message.getInstanceLocation().toString();
        return switch (message.getType()) {
            case "required" ->
                new Fault(JsonPointer.fragment(JsonPointer.member(pointer, message.getProperty())), "is required");
            case "additionalProperties" ->
                new Fault(
                        JsonPointer.fragment(JsonPointer.member(pointer, message.getProperty())),
                        "is not a known field");
            default -> new Fault(JsonPointer.fragment(pointer), message.getError());
        };
    }

    private Order order(JsonNode json) {
        Currency currency = Currency.getInstance(json.get("currency").textValue());
        List<Order.Item> items = new ArrayList<>();
        for (JsonNode item : json.get("items")) {
            items.add(new Order.Item(
                    item.get("sku").textValue(),
                    item.get("quantity").intValue(),
                    item.get("unitPrice").decimalValue().setScale(Money.decimals(currency))));
        }
        JsonNode address = json.get("shippingAddress");
        return new Order(
                json.has("orderId") ? json.get("orderId").textValue() : ids.get(),
                json.get("customerId").textValue(),
                items,
                currency,
                json.get("paymentMethod").textValue(),
                new Order.Address(
                        address.path("name").textValue(),
                        address.path("line1").textValue(),
                        address.path("city").textValue(),
                        address.path("postalCode").textValue(),
                        address.get("country").textValue()));
    }
}
