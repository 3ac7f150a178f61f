package io.caravanserai.order;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A customer's order. Every instance is valid: ingresses check external input.
 *
 * @param items at least one
 */
public record Order(
        String orderId,
        String customerId,
        List<Item> items,
        Currency currency,
        String paymentMethod,
        Address shippingAddress) {

    public Order {
        items = List.copyOf(items);
    }

    /**
     * A line of an order.
     *
     * @param quantity 1 or more
     * @param unitPrice 0 or more, at most the currency's decimals
     */
    public record Item(String sku, int quantity, BigDecimal unitPrice) {}

    /**
     * The delivery address of an order.
     *
     * @param name null when absent, as are line1, city and postalCode
     * @param country ISO 3166-1 alpha-2
     */
    public record Address(String name, String line1, String city, String postalCode, String country) {}

    /** The sum of quantity times unit price. */
    public Money total() {
        BigDecimal sum = items.stream()
                .map(item -> item.unitPrice().multiply(BigDecimal.valueOf(item.quantity())))
                .reduce(BigDecimal.ZERO, BigDecimal::add);
        return new Money(sum.setScale(Money.decimals(currency)), currency);
    }

    /** Quantity by sku. Lines of the same sku are summed; skus are in the order of first appearance. */
    public Map<String, Long> quantities() {
        Map<String, Long> quantities = new LinkedHashMap<>();
        items.forEach(item -> quantities.merge(item.sku(), (long) item.quantity(), Long::sum));
        return quantities;
    }
}
