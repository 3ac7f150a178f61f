package io.caravanserai.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.caravanserai.event.EventContext;
import io.caravanserai.order.Currency;
import io.caravanserai.order.Order;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Style;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.service.inventory.Inventory;
import io.caravanserai.service.inventory.Stock;
import io.caravanserai.service.inventory.StockRepository;
import io.caravanserai.service.order.OrderStateMachine;
import io.caravanserai.service.order.Orders;
import io.caravanserai.service.payment.Payment;
import io.caravanserai.service.payment.Payments;
import io.caravanserai.service.shipping.Shipment;
import io.caravanserai.service.shipping.Shipping;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.UnitOfWork;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each action and compensation of the services on a real store: once, twice, late and in the wrong order. */
class ServicesIT {
    private static final EventContext CONTEXT = new EventContext("saga", null, null, Style.REQUEST_REPLY);

    @TempDir
    private Path folder;

    private final AtomicLong next = new AtomicLong();
    private final Supplier<String> ids = () -> "%019d".formatted(next.incrementAndGet());
    private final StockRepository shelf = new StockRepository();
    private SqliteStore store;
    private Orders orders;
    private OrderStateMachine life;
    private Outbox outbox;
    private Inventory inventory;
    private Payments payments;
    private Shipping shipping;

    @BeforeEach
    void open() {
        Clock clock = Clock.systemUTC();
        store = SqliteStore.open(folder);
        orders = new Orders(clock);
        life = new OrderStateMachine(clock, orderId -> {});
        StepLog stepLog = new StepLog(ids, clock);
        outbox = new Outbox(ids, clock, List.of(life, (tx, event) -> inventory.onEvent(tx, event)), event -> {});
        inventory = new Inventory(outbox, stepLog, clock);
        payments = new Payments(outbox, stepLog, clock, ids);
        shipping = new Shipping(outbox, clock, ids, Set.of("NL"));
        set("SADDLE-01", 10);
        set("TENT-03", 1);
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void aStepThatRunsAgainHasOneEffectAndOneEvent() {
        Order order = accepted("o", "pm_card_visa", "NL", item("SADDLE-01", 2));

        for (int run = 0; run < 3; run++) {
            assertThat(create(order)).isEqualTo(StepOutcome.DONE);
            assertThat(reserve(order)).isEqualTo(StepOutcome.DONE);
            assertThat(pay(order)).isEqualTo(StepOutcome.DONE);
            assertThat(ship(order)).isEqualTo(StepOutcome.DONE);
        }

        assertThat(stock("SADDLE-01")).isEqualTo(new Stock("SADDLE-01", 8, 0, 2));
        assertThat(events("o")).containsExactly("OrderCreated", "ItemsReserved", "PaymentProcessed", "OrderShipped");
    }

    @Test
    void refusalIsRepeatableAndRecordedOnce() {
        Order tooFar = accepted("far", "pm_card_declined", "AQ", item("SADDLE-01", 11));
        create(tooFar);

        for (int run = 0; run < 2; run++) {
            assertThat(reserve(tooFar)).isEqualTo(new StepOutcome.Refused(Reason.OUT_OF_STOCK));
        }

        assertThat(events("far")).containsExactly("OrderCreated", "ReservationFailed");
        assertThat(stock("SADDLE-01")).isEqualTo(new Stock("SADDLE-01", 10, 0, 0));
    }

    @Test
    void aDeclinedPaymentAndARefusedShipmentAreDecidedOnce() {
        Order declined = accepted("declined", "pm_card_declined", "NL", item("SADDLE-01", 1));
        create(declined);
        reserve(declined);
        Order far = accepted("far", "pm_card_visa", "AQ", item("SADDLE-01", 1));
        create(far);
        reserve(far);
        pay(far);

        for (int run = 0; run < 2; run++) {
            assertThat(pay(declined)).isEqualTo(new StepOutcome.Refused(Reason.PAYMENT_DECLINED));
            assertThat(ship(far)).isEqualTo(new StepOutcome.Refused(Reason.SHIPPING_REFUSED));
        }

        assertThat(events("declined")).containsExactly("OrderCreated", "ItemsReserved", "PaymentFailed");
        assertThat(events("far"))
                .containsExactly("OrderCreated", "ItemsReserved", "PaymentProcessed", "ShippingFailed");
    }

    @Test
    void aReservationThatFailsInTheMiddleLeavesNothingReserved() {
        Order order = accepted("o", "pm_card_visa", "NL", item("SADDLE-01", 1), item("TENT-03", 2));
        create(order);

        assertThat(reserve(order)).isEqualTo(new StepOutcome.Refused(Reason.OUT_OF_STOCK));

        assertThat(stock("SADDLE-01")).isEqualTo(new Stock("SADDLE-01", 10, 0, 0));
        assertThat(stock("TENT-03")).isEqualTo(new Stock("TENT-03", 1, 0, 0));
    }

    @Test
    void unknownSkuHasPriorityOverOutOfStock() {
        Order order = accepted("o", "pm_card_visa", "NL", item("SADDLE-01", 11), item("UNICORN", 1));
        create(order);

        assertThat(reserve(order)).isEqualTo(new StepOutcome.Refused(Reason.UNKNOWN_SKU));
    }

    @Test
    void repeatedCompensationHasOneEffect() {
        Order order = accepted("o", "pm_card_visa", "AQ", item("SADDLE-01", 3));
        create(order);
        reserve(order);
        pay(order);
        ship(order);

        for (int run = 0; run < 2; run++) {
            assertThat(refund(order)).isEqualTo(StepOutcome.DONE);
            assertThat(release(order)).isEqualTo(StepOutcome.DONE);
            assertThat(cancel(order)).isEqualTo(StepOutcome.DONE);
        }

        assertThat(stock("SADDLE-01")).isEqualTo(new Stock("SADDLE-01", 10, 0, 0));
        assertThat(events("o"))
                .containsExactly(
                        "OrderCreated",
                        "ItemsReserved",
                        "PaymentProcessed",
                        "ShippingFailed",
                        "PaymentRefunded",
                        "ItemsReleased",
                        "OrderCancelled");
    }

    @Test
    void effectAfterCompensationIsRefusedAndLeavesNothing() {
        Order order = accepted("o", "pm_card_visa", "NL", item("SADDLE-01", 1));
        create(order);
        write(tx -> life.turnBack(tx, "o", Reason.TIMED_OUT));
        assertThat(refund(order)).isEqualTo(StepOutcome.SKIPPED);
        assertThat(release(order)).isEqualTo(StepOutcome.SKIPPED);

        assertThatThrownBy(() -> reserve(order)).hasCauseInstanceOf(OrderClosedException.class);
        assertThatThrownBy(() -> pay(order)).hasCauseInstanceOf(OrderClosedException.class);
        assertThatThrownBy(() -> ship(order)).hasCauseInstanceOf(OrderClosedException.class);

        assertThat(stock("SADDLE-01")).isEqualTo(new Stock("SADDLE-01", 10, 0, 0));
        Optional<Payment> payment = write(tx -> payments.held(tx, "o"));
        assertThat(payment).isEmpty();
        Optional<Shipment> shipment = write(tx -> shipping.find(tx, "o"));
        assertThat(shipment).isEmpty();
    }

    @Test
    void shippedOrderIsNotCompensated() {
        Order order = accepted("o", "pm_card_visa", "NL", item("SADDLE-01", 1));
        create(order);
        reserve(order);
        pay(order);
        ship(order);

        assertThatThrownBy(() -> refund(order)).hasCauseInstanceOf(OrderClosedException.class);
        assertThat(release(order)).isEqualTo(StepOutcome.SKIPPED);
        assertThatThrownBy(() -> cancel(order)).hasCauseInstanceOf(OrderClosedException.class);

        Optional<Payment> payment = write(tx -> payments.held(tx, "o"));
        assertThat(payment.orElseThrow().status()).isEqualTo("CAPTURED");
        assertThat(stock("SADDLE-01")).isEqualTo(new Stock("SADDLE-01", 9, 0, 1));
    }

    @Test
    void compensatedOrderIsNotShipped() {
        Order order = accepted("o", "pm_card_visa", "NL", item("SADDLE-01", 1));
        create(order);
        reserve(order);
        pay(order);

        assertThat(refund(order)).isEqualTo(StepOutcome.DONE);

        assertThatThrownBy(() -> ship(order)).hasCauseInstanceOf(OrderClosedException.class);
        Optional<Shipment> shipment = write(tx -> shipping.find(tx, "o"));
        assertThat(shipment).isEmpty();
    }

    @Test
    void orderBeingCancelledIsNotOpened() {
        Order order = accepted("o", "pm_card_visa", "NL", item("SADDLE-01", 1));
        write(tx -> life.turnBack(tx, "o", Reason.CANCELLED_BY_OPERATOR));

        assertThat(create(order)).isEqualTo(new StepOutcome.Refused(Reason.CANCELLED_BY_OPERATOR));
        assertThat(events("o")).isEmpty();
    }

    @Test
    void orderIsCachedOnlyOnceDurable() {
        Order order = order("o", "pm_card_visa", "NL", item("SADDLE-01", 1));

        assertThatThrownBy(() -> write(tx -> {
                    orders.accept(tx, order, Style.REQUEST_REPLY, 1, "saga-o", null);
                    assertThat(orders.find(tx, "o")).isPresent();
                    throw new IllegalStateException("undone");
                }))
                .hasMessageContaining("undone");

        Optional<OrderLookup.Known> known = write(tx -> orders.find(tx, "o"));
        assertThat(known).isEmpty();
    }

    private StepOutcome create(Order order) {
        return write(tx -> life.create(tx, outbox, order, CONTEXT));
    }

    private StepOutcome reserve(Order order) {
        return write(tx -> inventory.reserve(tx, order, CONTEXT));
    }

    private StepOutcome pay(Order order) {
        return write(tx -> payments.charge(tx, order, CONTEXT));
    }

    private StepOutcome ship(Order order) {
        return write(tx -> shipping.ship(tx, order, CONTEXT));
    }

    private StepOutcome refund(Order order) {
        return write(tx -> payments.refund(tx, order, CONTEXT));
    }

    private StepOutcome release(Order order) {
        return write(tx -> inventory.release(tx, order, CONTEXT));
    }

    private StepOutcome cancel(Order order) {
        return write(tx -> life.cancel(tx, outbox, order, CONTEXT));
    }

    private Order accepted(String orderId, String paymentMethod, String country, Order.Item... items) {
        Order order = order(orderId, paymentMethod, country, items);
        write(tx -> orders.accept(tx, order, Style.REQUEST_REPLY, 1, "saga-" + orderId, null));
        return order;
    }

    private static Order order(String orderId, String paymentMethod, String country, Order.Item... items) {
        Order.Address address = new Order.Address(null, null, null, null, country);
        return new Order(orderId, "C-1", List.of(items), Currency.getInstance("EUR"), paymentMethod, address);
    }

    private static Order.Item item(String sku, int quantity) {
        return new Order.Item(sku, quantity, new BigDecimal("50.00"));
    }

    private void set(String sku, long onHand) {
        write(tx -> shelf.set(tx, sku, onHand));
    }

    private Stock stock(String sku) {
        return write(tx -> shelf.find(tx, sku).orElseThrow());
    }

    private List<String> events(String orderId) {
        return write(tx -> tx.list(
                "SELECT type FROM events WHERE order_id = ? ORDER BY sequence", row -> row.getString(1), orderId));
    }

    private <T> T write(UnitOfWork<T> work) {
        return store.write("test", "test", work).join();
    }
}
