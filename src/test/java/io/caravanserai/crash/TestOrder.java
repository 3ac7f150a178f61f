package io.caravanserai.crash;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.Set;

/**
 * An order as a customer wrote it.
 *
 * @param ends how it may end, when nobody cancels it and no time runs out
 */
public record TestOrder(
        String id, String sku, int quantity, BigDecimal price, String method, String country, Set<String> ends) {
    private static final String JSON = """
            {"orderId": "%s", "customerId": "C-1", "items": [{"sku": "%s", "quantity": %d, "unitPrice": %s}], \
            "currency": "EUR", "paymentMethod": "%s", "shippingAddress": {"country": "%s"}}""";

    public String json() {
        return String.format(Locale.ROOT, JSON, id, sku, quantity, price.toPlainString(), method, country);
    }

    public BigDecimal total() {
        return price.multiply(BigDecimal.valueOf(quantity));
    }
}
