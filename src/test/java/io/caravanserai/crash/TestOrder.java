package io.caravanserai.crash;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.Random;
import java.util.Set;

/**
 * An order as written by a customer.
 * @param ends the possible ends without a cancellation and a timeout
 */
public record TestOrder(
        String id, String sku, int quantity, BigDecimal price, String method, String country, Set<String> ends) {
    static final String PLENTY = "PLENTY-1";
    static final String SCARCE = "SCARCE-1";

    private static final String JSON = """
            {"orderId": "%s", "customerId": "C-1", "items": [{"sku": "%s", "quantity": %d, "unitPrice": %s}], \
            "currency": "EUR", "paymentMethod": "%s", "shippingAddress": {"country": "%s"}}""";

    /** Returns an order with a random outcome. */
    static TestOrder any(String id, Random choice) {
        BigDecimal price = BigDecimal.valueOf(1 + choice.nextInt(10_000), 2);
        int quantity = 1 + choice.nextInt(3);
        Set<String> well = Set.of("SHIPPED");
        Set<String> badly = Set.of("CANCELLED");
        return switch (choice.nextInt(8)) {
            case 0 -> new TestOrder(id, PLENTY, quantity, price, "pm_card_declined", "NL", badly);
            case 1 -> new TestOrder(id, SCARCE, quantity, price, "pm_card_visa", "NL", Set.of("SHIPPED", "CANCELLED"));
            case 2 -> new TestOrder(id, "UNKNOWN-1", quantity, price, "pm_card_visa", "NL", badly);
            case 3 -> new TestOrder(id, PLENTY, quantity, price, "pm_card_visa", "AQ", badly);
            case 4 -> new TestOrder(id, PLENTY, quantity, price, "pm_flaky_2", "NL", well);
            case 5 ->
                new TestOrder(
                        id,
                        PLENTY,
                        quantity,
                        price,
                        "pm_slow_300",
                        choice.nextBoolean() ? "NL" : "AQ",
                        Set.of("SHIPPED", "CANCELLED"));
            // Each process of the hub makes five attempts, so the tenth attempt may occur.
            case 6 -> new TestOrder(id, PLENTY, quantity, price, "pm_flaky_9", "NL", Set.of("SHIPPED", "CANCELLED"));
            default -> new TestOrder(id, PLENTY, quantity, price, "pm_card_visa", "NL", well);
        };
    }

    public String json() {
        return String.format(Locale.ROOT, JSON, id, sku, quantity, price.toPlainString(), method, country);
    }

    public BigDecimal total() {
        return price.multiply(BigDecimal.valueOf(quantity));
    }
}
