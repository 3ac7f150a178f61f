package io.caravanserai.intake;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.http.Problem.Fault;
import io.caravanserai.order.Currency;
import io.caravanserai.order.Money;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The rules of an order beyond the schema. */
final class OrderRules {
    private static final Set<String> COUNTRIES = Locale.getISOCountries(Locale.IsoCountryCode.PART1_ALPHA2);

    private OrderRules() {}

    /**
     * Adds the faults of the order. Does not repeat faults that the schema finds, for example a text in place of a
     * number.
     */
    static void check(JsonNode order, List<Fault> faults) {
        checkTexts(order, "", faults);
        JsonNode orderId = order.path("orderId");
        if (orderId.isTextual() && orderId.textValue().endsWith("\n")) {
            // In Java's regular expressions the end also matches before a final line break.
            faults.add(new Fault("#/orderId", "must not end with a line break"));
        }
        String code = order.path("currency").asText();
        Optional<Currency> currency = Currency.active(code);
        if (currency.isEmpty() && code.matches("[A-Z]{3}|[A-Z]{3}\n")) {
            faults.add(new Fault("#/currency", "is not an active currency of ISO 4217"));
        }
        String country = order.path("shippingAddress").path("country").asText();
        if (country.matches("[A-Z]{2}|[A-Z]{2}\n") && !COUNTRIES.contains(country)) {
            faults.add(new Fault("#/shippingAddress/country", "is not a country of ISO 3166-1"));
        }
        currency.ifPresent(known -> checkPrices(order.path("items"), known, faults));
    }

    private static void checkPrices(JsonNode items, Currency currency, List<Fault> faults) {
        int decimals = Money.decimals(currency);
        for (int i = 0; i < items.size(); i++) {
            JsonNode price = items.path(i).path("unitPrice");
            if (price.isNumber() && price.decimalValue().stripTrailingZeros().scale() > decimals) {
                faults.add(new Fault(
                        "#/items/" + i + "/unitPrice",
                        "must have at most " + decimals + " decimals, as " + currency + " has"));
            }
        }
    }

    /** JSON allows texts that databases and messages cannot store: the character 0 and unpaired surrogates. */
    private static void checkTexts(JsonNode node, String pointer, List<Fault> faults) {
        if (node.isTextual() && !isCarriable(node.textValue())) {
            faults.add(new Fault(JsonPointer.fragment(pointer), "has a character that is not a Unicode character"));
        } else if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                checkTexts(node.get(i), pointer + "/" + i, faults);
            }
        } else if (node.isObject()) {
            for (Map.Entry<String, JsonNode> member : node.properties()) {
                if (member.getValue().isTextual() || member.getValue().isContainerNode()) {
                    checkTexts(member.getValue(), JsonPointer.member(pointer, member.getKey()), faults);
                }
            }
        }
    }

    private static boolean isCarriable(String text) {
        return text.codePoints()
                .noneMatch(each -> each == 0 || each >= Character.MIN_SURROGATE && each <= Character.MAX_SURROGATE);
    }
}
