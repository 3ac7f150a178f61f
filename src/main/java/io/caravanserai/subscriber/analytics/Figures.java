package io.caravanserai.subscriber.analytics;

import io.caravanserai.subscriber.analytics.Changes.Figure;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Figures about all orders.
 * @param orders number of orders
 * @param byReason cancelled orders by reason
 * @param perMinute the last minutes with events, oldest first
 */
public record Figures(
        long orders,
        Map<String, Long> byStatus,
        Map<String, Long> byStyle,
        Map<String, Long> byReason,
        List<Minute> perMinute,
        List<Amounts> amounts) {
    private static final int MINUTES = 60;

    /** @param minute start of the minute, RFC 3339 */
    public record Minute(String minute, long created, long shipped, long cancelled) {}

    /** @param ordered total of all orders; captured and refunded are parts of the total */
    public record Amounts(String currency, BigDecimal ordered, BigDecimal captured, BigDecimal refunded) {}

    static Figures of(List<SqlFigures.Value> values) {
        Map<Figure, Map<String, BigDecimal>> all = new TreeMap<>();
        for (Figure figure : Figure.values()) {
            all.put(figure, new TreeMap<>());
        }
        values.forEach(each -> all.get(each.figure()).put(each.label(), each.value()));
        Map<String, Long> byStatus = counts(all.get(Figure.STATUS));
        return new Figures(
                byStatus.values().stream().mapToLong(Long::longValue).sum(),
                byStatus,
                counts(all.get(Figure.STYLE)),
                counts(all.get(Figure.REASON)),
                minutes(all),
                amounts(all));
    }

    private static Map<String, Long> counts(Map<String, BigDecimal> values) {
        Map<String, Long> counts = new TreeMap<>();
        values.forEach((label, value) -> {
            if (value.signum() != 0) {
                counts.put(label, value.longValueExact());
            }
        });
        return counts;
    }

    private static List<Minute> minutes(Map<Figure, Map<String, BigDecimal>> all) {
        Map<String, Minute> minutes = new TreeMap<>();
        for (Figure figure : List.of(Figure.CREATED_IN_MINUTE, Figure.SHIPPED_IN_MINUTE, Figure.CANCELLED_IN_MINUTE)) {
            all.get(figure)
                    .keySet()
                    .forEach(minute -> minutes.computeIfAbsent(
                            minute,
                            each -> new Minute(
                                    each,
                                    count(all, Figure.CREATED_IN_MINUTE, each),
                                    count(all, Figure.SHIPPED_IN_MINUTE, each),
                                    count(all, Figure.CANCELLED_IN_MINUTE, each))));
        }
        List<Minute> sorted = new ArrayList<>(minutes.values());
        return sorted.subList(Math.max(0, sorted.size() - MINUTES), sorted.size());
    }

    private static long count(Map<Figure, Map<String, BigDecimal>> all, Figure figure, String label) {
        return all.get(figure).getOrDefault(label, BigDecimal.ZERO).longValueExact();
    }

    private static List<Amounts> amounts(Map<Figure, Map<String, BigDecimal>> all) {
        List<Amounts> amounts = new ArrayList<>();
        all.get(Figure.ORDERED)
                .forEach((currency, ordered) -> amounts.add(new Amounts(
                        currency,
                        ordered,
                        all.get(Figure.CAPTURED).getOrDefault(currency, BigDecimal.ZERO),
                        all.get(Figure.REFUNDED).getOrDefault(currency, BigDecimal.ZERO))));
        return amounts;
    }
}
