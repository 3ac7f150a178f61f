package io.caravanserai.api;

import io.caravanserai.event.EventType;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Problem;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.intake.OrderDocument;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Reason;
import io.caravanserai.saga.Cause;
import io.caravanserai.saga.DurableSagaService;
import io.caravanserai.service.StepLog;
import io.caravanserai.service.order.ChoreographyDeadlines;
import io.caravanserai.service.order.OrderHistory;
import io.caravanserai.service.order.OrderStateMachine;
import io.caravanserai.service.order.OrderView;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Cancels an order that has not ended. The decision is the order's own: it is durable before the saga is told, and from
 * then on no step can go forward.
 */
public final class CancelEndpoint implements HttpEndpoints {
    private final Store store;
    private final Orders orders;
    private final OrderHistory history;
    private final OrderStateMachine life;
    private final ChoreographyDeadlines sagaless;
    private final StepLog stepLog;
    private final DurableSagaService sagas;

    public CancelEndpoint(
            Store store,
            Orders orders,
            OrderHistory history,
            OrderStateMachine life,
            ChoreographyDeadlines sagaless,
            StepLog stepLog,
            DurableSagaService sagas) {
        this.store = store;
        this.orders = orders;
        this.history = history;
        this.life = life;
        this.sagaless = sagaless;
        this.stepLog = stepLog;
        this.sagas = sagas;
    }

    @Override
    public void register(HttpRoutes routes) {
        routes.post("/orders/{id}/cancel", Permission.SEND_ORDERS, this::cancel);
    }

    private CompletionStage<Response> cancel(Request request) {
        String orderId = request.path("id");
        return store.write("cancel-by-operator", orderId, tx -> decide(tx, orderId, request))
                .thenCompose(order -> order.status() == OrderStatus.CANCELLED
                        ? document(orderId).thenApply(found -> Response.json(200, found))
                        : undo(order, request.caller())
                                .thenCompose(done -> document(orderId))
                                .thenApply(found -> Response.json(202, found)));
    }

    /** The order before the decision. */
    private OrderView decide(Transaction tx, String orderId, Request request) throws SQLException {
        OrderView order = orders.view(tx, orderId)
                .orElseThrow(() -> Problem.notFound("order").asException());
        if (order.status() == OrderStatus.SHIPPED) {
            throw Problem.of(409, "the order has been shipped")
                    .with("orderId", orderId)
                    .with("orderStatus", order.status())
                    .asException();
        }
        if (order.reason() != null) {
            return order;
        }
        sagaless.cancelRequested(tx, order);
        if (request.keyName().isPresent()) {
            // The event, which goes to everybody, does not say whose key it was.
            stepLog.acted(
                    tx,
                    orderId,
                    EventType.OrderCancelRequested.name(),
                    "by " + request.keyName().get());
        }
        if (order.sagaId() != null) {
            life.turnBack(tx, orderId, Reason.CANCELLED_BY_OPERATOR);
        } else {
            // Nobody coordinates these: the services hear of it and undo what they did.
            sagaless.turnBack(tx, order, Reason.CANCELLED_BY_OPERATOR);
        }
        return order;
    }

    private CompletableFuture<?> undo(OrderView order, String caller) {
        if (order.sagaId() == null) {
            return CompletableFuture.completedFuture(null);
        }
        // A saga that has not begun yet finds its first step refused, and ends by itself.
        return sagas.startCompensating(order.sagaId(), new Cause(Cause.Kind.CANCELLED, "cancelled by " + caller));
    }

    private CompletableFuture<OrderDocument> document(String orderId) {
        return store.read(tx -> OrderDocument.read(tx, orders, history, orderId).orElseThrow());
    }
}
