package io.caravanserai.service.payment;

import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventType;
import io.caravanserai.order.Money;
import io.caravanserai.order.Order;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Step;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.service.OrderClosedException;
import io.caravanserai.service.StepLog;
import io.caravanserai.service.StepOutcome;
import io.caravanserai.store.Transaction;
import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Charges and refunds orders. Thread-safe. */
public final class Payments {
    private static final String FIND =
            "SELECT payment_id, status, amount, currency, attempts, created_at FROM payments WHERE order_id = ?";
    private static final String INSERT = """
            INSERT INTO payments
              (order_id, payment_id, status, amount, currency, method, attempts, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)
            ON CONFLICT (order_id) DO NOTHING
            """;
    private static final String COUNT_ATTEMPT =
            "UPDATE payments SET attempts = attempts + 1, updated_at = ? WHERE order_id = ?";
    private static final String TURN =
            "UPDATE payments SET status = ?, updated_at = ? WHERE order_id = ? AND status = ?";
    private static final String HELD = """
            SELECT payment_id, order_id, status, amount, currency, created_at, updated_at
            FROM payments WHERE order_id = ? AND status IN ('CAPTURED', 'REFUNDED')
            """;
    private static final String ALL_HELD = """
            SELECT payment_id, order_id, status, amount, currency, created_at, updated_at
            FROM payments WHERE order_id > ? AND status IN ('CAPTURED', 'REFUNDED') ORDER BY order_id LIMIT ?
            """;

    private static final String NO_ANSWER = "the payment provider did not answer";

    private final Outbox outbox;
    private final StepLog stepLog;
    private final Clock clock;
    private final Supplier<String> ids;

    public Payments(Outbox outbox, StepLog stepLog, Clock clock, Supplier<String> ids) {
        this.outbox = outbox;
        this.stepLog = stepLog;
        this.clock = clock;
        this.ids = ids;
    }

    private record Row(
            String paymentId, String status, BigDecimal amount, String currency, int attempts, Instant createdAt) {}

    /** Captures the total of the order. */
    public StepOutcome charge(Transaction tx, Order order, EventContext context) throws SQLException {
        PaymentMethod method = PaymentMethod.of(order.paymentMethod());
        String paymentId = newId();
        if (insert(tx, order, paymentId, statusAfterFirstAttempt(method))) {
            return firstAttempt(tx, order, method, paymentId, context);
        }
        Row earlier = earlier(tx, order);
        return decidedOr(order, earlier, () -> pending(tx, order, earlier, context));
    }

    /** Records a capture by a provider outside the hub. Compensated by {@link #refund}. */
    public StepOutcome book(Transaction tx, Order order, EventContext context) throws SQLException {
        String paymentId = newId();
        if (insert(tx, order, paymentId, "CAPTURED")) {
            return captured(tx, order, paymentId, 1, context);
        }
        Row earlier = earlier(tx, order);
        return decidedOr(order, earlier, () -> capture(tx, order, earlier, 1, context));
    }

    /** Records a decline by a provider outside the hub. Returns the refusal. */
    public StepOutcome decline(Transaction tx, Order order, EventContext context) throws SQLException {
        if (insert(tx, order, newId(), "DECLINED")) {
            return declined(tx, order, context);
        }
        return decidedOr(order, earlier(tx, order), () -> {
            tx.update(TURN, "DECLINED", clock.instant(), order.orderId(), "PENDING");
            return declined(tx, order, context);
        });
    }

    private interface Decision {
        StepOutcome make() throws SQLException;
    }

    private static StepOutcome decidedOr(Order order, Row earlier, Decision decision) throws SQLException {
        return switch (earlier.status()) {
            case "CAPTURED" -> StepOutcome.DONE;
            case "DECLINED" -> new StepOutcome.Refused(Reason.PAYMENT_DECLINED);
            case "REFUNDED" -> throw new OrderClosedException(order.orderId(), "payment");
            default -> decision.make();
        };
    }

    private StepOutcome declined(Transaction tx, Order order, EventContext context) throws SQLException {
        EventData data = new EventData.Failed(EventType.PaymentFailed, Reason.PAYMENT_DECLINED);
        outbox.append(tx, order.orderId(), data, 1, context);
        return new StepOutcome.Refused(Reason.PAYMENT_DECLINED);
    }

    private static String statusAfterFirstAttempt(PaymentMethod method) {
        if (method instanceof PaymentMethod.Taken taken) {
            return taken.failuresBefore() == 0 && taken.answersAfter().isZero() ? "CAPTURED" : "PENDING";
        }
        return "DECLINED";
    }

    private StepOutcome firstAttempt(
            Transaction tx, Order order, PaymentMethod method, String paymentId, EventContext context)
            throws SQLException {
        if (!(method instanceof PaymentMethod.Taken taken)) {
            return declined(tx, order, context);
        }
        if (taken.failuresBefore() > 0) {
            return new StepOutcome.Unavailable(1, NO_ANSWER);
        }
        return taken.answersAfter().isZero()
                ? captured(tx, order, paymentId, 1, context)
                : new StepOutcome.Later(taken.answersAfter());
    }

    private StepOutcome pending(Transaction tx, Order order, Row earlier, EventContext context) throws SQLException {
        PaymentMethod.Taken taken = (PaymentMethod.Taken) PaymentMethod.of(order.paymentMethod());
        if (taken.failuresBefore() > 0) {
            return anotherAttempt(tx, order, earlier, taken.failuresBefore(), context);
        }
        Duration left = Duration.between(clock.instant(), earlier.createdAt().plus(taken.answersAfter()));
        return left.isNegative() || left.isZero()
                ? capture(tx, order, earlier, earlier.attempts(), context)
                : new StepOutcome.Later(left);
    }

    private StepOutcome anotherAttempt(
            Transaction tx, Order order, Row earlier, int failuresBefore, EventContext context) throws SQLException {
        int attempt = earlier.attempts() + 1;
        stepLog.retrying(tx, order.orderId(), Step.PROCESS_PAYMENT, earlier.attempts(), NO_ANSWER);
        tx.update(COUNT_ATTEMPT, clock.instant(), order.orderId());
        return attempt > failuresBefore
                ? capture(tx, order, earlier, attempt, context)
                : new StepOutcome.Unavailable(attempt, NO_ANSWER);
    }

    private StepOutcome capture(Transaction tx, Order order, Row earlier, int attempt, EventContext context)
            throws SQLException {
        tx.update(TURN, "CAPTURED", clock.instant(), order.orderId(), "PENDING");
        return captured(tx, order, earlier.paymentId(), attempt, context);
    }

    private StepOutcome captured(Transaction tx, Order order, String paymentId, int attempt, EventContext context)
            throws SQLException {
        Money total = order.total();
        EventData data =
                new EventData.PaymentProcessed(total.amount(), total.currency().code(), paymentId);
        outbox.append(tx, order.orderId(), data, attempt, context);
        return StepOutcome.DONE;
    }

    private String newId() {
        return "pay_" + ids.get();
    }

    /**
     * Inserts the first attempt; returns false when an attempt exists. Most orders need one attempt, so the insert
     * comes before the read.
     */
    private boolean insert(Transaction tx, Order order, String paymentId, String status) throws SQLException {
        Money total = order.total();
        Instant now = clock.instant();
        return tx.update(
                        INSERT,
                        order.orderId(),
                        paymentId,
                        status,
                        total.amount(),
                        total.currency().code(),
                        order.paymentMethod(),
                        now,
                        now)
                == 1;
    }

    private static Row earlier(Transaction tx, Order order) throws SQLException {
        return find(tx, order.orderId()).orElseThrow();
    }

    /** Refunds the payment. Compensates {@link #charge}. */
    public StepOutcome refund(Transaction tx, Order order, EventContext context) throws SQLException {
        Optional<Row> payment = find(tx, order.orderId());
        if (tx.update(TURN, "REFUNDED", clock.instant(), order.orderId(), "CAPTURED") == 0) {
            if (payment.filter(row -> row.status().equals("REFUNDED")).isPresent()) {
                return StepOutcome.DONE;
            }
            stepLog.skipped(
                    tx, order.orderId(), Step.PROCESS_PAYMENT.compensation().orElseThrow());
            return StepOutcome.SKIPPED;
        }
        Row captured = payment.orElseThrow();
        EventData data = new EventData.PaymentRefunded(captured.amount(), captured.currency(), captured.paymentId());
        outbox.append(tx, order.orderId(), data, 1, context);
        return StepOutcome.DONE;
    }

    /** Returns the payment of an order; empty when no money was captured. */
    public Optional<Payment> held(Transaction tx, String orderId) throws SQLException {
        return tx.first(HELD, Payments::payment, orderId);
    }

    /** Returns payments in the order of the order id, after the given order id. */
    public List<Payment> list(Transaction tx, String after, int limit) throws SQLException {
        return tx.list(ALL_HELD, Payments::payment, after, limit);
    }

    private static Optional<Row> find(Transaction tx, String orderId) throws SQLException {
        return tx.first(
                FIND,
                row -> new Row(
                        row.getString("payment_id"),
                        row.getString("status"),
                        new BigDecimal(row.getString("amount")),
                        row.getString("currency"),
                        row.getInt("attempts"),
                        Instant.ofEpochMilli(row.getLong("created_at"))),
                orderId);
    }

    private static Payment payment(ResultSet row) throws SQLException {
        return new Payment(
                row.getString("payment_id"),
                row.getString("order_id"),
                row.getString("status"),
                new BigDecimal(row.getString("amount")),
                row.getString("currency"),
                Instant.ofEpochMilli(row.getLong("created_at")),
                Instant.ofEpochMilli(row.getLong("updated_at")));
    }
}
