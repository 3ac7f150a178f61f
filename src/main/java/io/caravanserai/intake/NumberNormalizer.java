package io.caravanserai.intake;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.Map;

/**
 * Makes the numbers of a document harmless. A few characters, such as {@code 1e999999999}, can name a number whose
 * digits fill the memory as soon as someone counts with it; and {@code 2.0} is an integer, whatever its spelling.
 */
final class NumberNormalizer {
    /** Beyond every bound of an order, and still a long. */
    private static final long HUGE = 1_000_000_000_000_000L;

    private static final int HUGE_DIGITS = 15;
    private static final int MOST_DECIMALS = 30;

    private NumberNormalizer() {}

    /**
     * Changes the document in place: huge numbers become {@link #HUGE}, numbers with endless decimals keep {@link
     * #MOST_DECIMALS}, integers of any spelling become longs. All others keep their value.
     */
    static JsonNode in(JsonNode node) {
        if (node instanceof ObjectNode object) {
            for (Map.Entry<String, JsonNode> member : object.properties()) {
                member.setValue(in(member.getValue()));
            }
        } else if (node instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) {
                JsonNode tame = in(array.get(i));
                if (tame != array.get(i)) {
                    array.set(i, tame);
                }
            }
        } else if (node.isNumber() && !node.isInt()) {
            return tame(node.decimalValue());
        }
        return node;
    }

    private static JsonNode tame(BigDecimal number) {
        BigDecimal value = number.stripTrailingZeros();
        if ((long) value.precision() - value.scale() > HUGE_DIGITS) {
            return LongNode.valueOf(value.signum() * HUGE);
        }
        if (value.scale() <= 0) {
            return LongNode.valueOf(value.longValueExact());
        }
        return DecimalNode.valueOf(
                value.scale() <= MOST_DECIMALS
                        ? value
                        : BigDecimal.valueOf(value.signum()).movePointLeft(MOST_DECIMALS));
    }
}
