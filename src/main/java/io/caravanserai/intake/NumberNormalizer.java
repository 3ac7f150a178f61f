package io.caravanserai.intake;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.Map;

/**
 * Bounds the numbers of a document. A short text, for example {@code 1e999999999}, can stand for a number whose digits
 * exhaust the memory in a calculation. Also turns {@code 2.0} into an integer.
 */
final class NumberNormalizer {
    /** Above every limit of an order, and within the range of long. */
    private static final long HUGE = 1_000_000_000_000_000L;

    private static final int HUGE_DIGITS = 15;
    private static final int MOST_DECIMALS = 30;

    private NumberNormalizer() {}

    /**
     * Changes the document in place. Huge numbers become {@link #HUGE}, longer decimals are cut to
     * {@link #MOST_DECIMALS}, integers of any notation become longs. All other numbers keep the value.
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
