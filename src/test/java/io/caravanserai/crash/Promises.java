package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.assertj.core.api.SoftAssertions;

/** Checks the promises of the contract over REST only. */
public final class Promises {
    private static final Set<String> ENDS = Set.of("SHIPPED", "CANCELLED");
    private static final List<String> STEPS = List.of("create-order", "reserve-items", "process-payment", "ship-order");
    /** The step that each compensation undoes. */
    private static final Map<String, String> UNDOES = Map.of(
            "cancel-order", "create-order", "release-items", "reserve-items", "refund-payment", "process-payment");

    private final Rest rest;

    public Promises(Rest rest) {
        this.rest = rest;
    }

    /** Waits until all orders and sagas of the hub have ended. */
    public void awaitEnds(Duration patience) {
        await().atMost(patience).pollInterval(Duration.ofMillis(200)).untilAsserted(() -> {
            for (String status : List.of("CREATED", "RESERVED", "PAID")) {
                assertThat(rest.all("/orders?status=" + status)).isEmpty();
            }
            for (String status : List.of("RUNNING", "COMPENSATING", "STUCK")) {
                assertThat(rest.all("/sagas?status=" + status)).isEmpty();
            }
        });
    }

    /**
     * Checks all promises, after the end of all orders.
     * @param posted all orders that may exist
     * @param answered ids of acknowledged orders
     * @param stock initial stock by sku
     */
    public void check(Map<String, TestOrder> posted, Collection<String> answered, Map<String, Long> stock)
            throws IOException {
        Map<String, JsonNode> orders = byId(rest.all("/orders"));
        Map<String, List<JsonNode>> payments = byOrder(rest.all("/payments"));
        Map<String, List<JsonNode>> shipments = byOrder(rest.all("/shipments"));
        assertThat(orders.keySet()).as("nothing answered is lost").containsAll(answered);
        assertThat(posted.keySet()).as("nothing comes from nowhere").containsAll(orders.keySet());
        SoftAssertions all = new SoftAssertions();
        for (String id : orders.keySet()) {
            JsonNode order = rest.get("/orders/" + id).body();
            checkOne(
                    all,
                    posted.get(id),
                    order,
                    payments.getOrDefault(id, List.of()),
                    shipments.getOrDefault(id, List.of()));
        }
        all.assertAll();
        checkMoney(orders, payments);
        checkStock(posted, orders, stock);
    }

    private static void checkOne(
            SoftAssertions all, TestOrder wanted, JsonNode order, List<JsonNode> payments, List<JsonNode> shipments) {
        String about = wanted + " is " + order;
        String status = order.path("status").asText();
        boolean isShipped = status.equals("SHIPPED");
        boolean isCancelledByHand = order.path("reason").asText().equals("cancelled-by-operator");
        all.assertThat(ENDS).as(about).contains(status);
        if (!isCancelledByHand) {
            all.assertThat(wanted.ends()).as(about).contains(status);
        }
        all.assertThat(order.path("total").decimalValue()).as(about).isEqualByComparingTo(wanted.total());
        all.assertThat(order.hasNonNull("reason")).as(about).isEqualTo(!isShipped);
        all.assertThat(shipments).as(about).hasSize(isShipped ? 1 : 0);
        all.assertThat(payments.size()).as(about).isBetween(isShipped ? 1 : 0, 1);
        payments.forEach(payment -> {
            all.assertThat(payment.path("status").asText()).as(about).isEqualTo(isShipped ? "CAPTURED" : "REFUNDED");
            all.assertThat(payment.path("amount").decimalValue()).as(about).isEqualByComparingTo(wanted.total());
        });
        checkHistory(all, about, order, payments.size(), isShipped);
    }

    private static void checkHistory(
            SoftAssertions all, String about, JsonNode order, int payments, boolean isShipped) {
        List<String> events = names(order, "event", Set.of("done"));
        List<String> steps = names(order, "step", Set.of("done"));
        List<String> compensations = names(order, "compensation", Set.of("done"));
        all.assertThat(events).as(about).doesNotHaveDuplicates();
        all.assertThat(events).as(about).endsWith(isShipped ? "OrderShipped" : "OrderCancelled");
        all.assertThat(steps).as(about).isEqualTo(STEPS.subList(0, Math.min(steps.size(), STEPS.size())));
        all.assertThat(events.contains("PaymentProcessed")).as(about).isEqualTo(payments == 1);
        all.assertThat(events.contains("PaymentRefunded")).as(about).isEqualTo(payments == 1 && !isShipped);
        List<String> undone = new ArrayList<>();
        compensations.forEach(name -> undone.add(0, UNDOES.get(name)));
        // Completed steps are compensated in reverse order; an order without a step is cancelled all the same.
        List<String> done = isShipped ? List.of() : steps.isEmpty() ? List.of("create-order") : steps;
        all.assertThat(undone).as(about).isEqualTo(done);
    }

    private static List<String> names(JsonNode order, String kind, Set<String> outcomes) {
        List<String> names = new ArrayList<>();
        order.path("history").forEach(entry -> {
            if (entry.path("kind").asText().equals(kind)
                    && outcomes.contains(entry.path("outcome").asText())) {
                names.add(entry.path("name").asText());
            }
        });
        return names;
    }

    private static void checkMoney(Map<String, JsonNode> orders, Map<String, List<JsonNode>> payments) {
        BigDecimal kept = payments.values().stream()
                .flatMap(List::stream)
                .filter(payment -> payment.path("status").asText().equals("CAPTURED"))
                .map(payment -> payment.path("amount").decimalValue())
                .reduce(BigDecimal.ZERO, BigDecimal::add);
        BigDecimal shipped = orders.values().stream()
                .filter(order -> order.path("status").asText().equals("SHIPPED"))
                .map(order -> order.path("total").decimalValue())
                .reduce(BigDecimal.ZERO, BigDecimal::add);
        assertThat(kept).as("the money kept is that of the orders shipped").isEqualByComparingTo(shipped);
    }

    private void checkStock(Map<String, TestOrder> posted, Map<String, JsonNode> orders, Map<String, Long> stock)
            throws IOException {
        Map<String, Long> shipped = new HashMap<>();
        orders.forEach((id, order) -> {
            if (order.path("status").asText().equals("SHIPPED")) {
                shipped.merge(posted.get(id).sku(), (long) posted.get(id).quantity(), Long::sum);
            }
        });
        for (Map.Entry<String, Long> each : stock.entrySet()) {
            JsonNode shelf = rest.get("/stock/" + each.getKey()).body();
            long gone = shipped.getOrDefault(each.getKey(), 0L);
            assertThat(shelf.path("shipped").asLong()).as("%s", shelf).isEqualTo(gone);
            assertThat(shelf.path("reserved").asLong()).as("%s", shelf).isZero();
            assertThat(shelf.path("onHand").asLong()).as("%s", shelf).isEqualTo(each.getValue() - gone);
        }
    }

    private static Map<String, JsonNode> byId(List<JsonNode> orders) {
        return orders.stream()
                .collect(Collectors.toMap(order -> order.path("orderId").asText(), order -> order));
    }

    private static Map<String, List<JsonNode>> byOrder(List<JsonNode> items) {
        return items.stream()
                .collect(Collectors.groupingBy(item -> item.path("orderId").asText()));
    }
}
