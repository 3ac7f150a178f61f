package io.caravanserai.order;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a customer asks for. Only valid orders become one of these: the doors check what comes from outside.
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
     * Where an order goes.
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

    /** Quantity by sku, lines of the same sku summed, in the order they first appear. */
    public Map<String, Long> quantities() {
        Map<String, Long> quantities = new LinkedHashMap<>();
        items.forEach(item -> quantities.merge(item.sku(), (long) item.quantity(), Long::sum));
        return quantities;
    }
}
