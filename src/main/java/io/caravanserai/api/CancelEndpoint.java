package io.caravanserai.api;

import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Problem;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.intake.OrderDocument;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.process.OrderCancellation;
import io.caravanserai.service.order.OrderHistory;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * {@code POST /orders/{id}/cancel}: 202 while the order is being cancelled, 200 when the order was cancelled before.
 */
public final class CancelEndpoint implements HttpEndpoints {
    private final OrderCancellation cancellation;
    private final Store store;
    private final Orders orders;
    private final OrderHistory history;

    public CancelEndpoint(OrderCancellation cancellation, Store store, Orders orders, OrderHistory history) {
        this.cancellation = cancellation;
        this.store = store;
        this.orders = orders;
        this.history = history;
    }

    @Override
    public void register(HttpRoutes routes) {
        routes.post("/orders/{id}/cancel", Permission.SEND_ORDERS, this::cancel);
    }

    private CompletionStage<Response> cancel(Request request) {
        String orderId = request.path("id");
        return cancellation.cancel(orderId, request.caller(), request.keyName()).thenCompose(result -> switch (result) {
            case UNKNOWN_ORDER -> throw Problem.notFound("order").asException();
            case ALREADY_SHIPPED ->
                throw Problem.of(409, "the order has been shipped")
                        .with("orderId", orderId)
                        .with("orderStatus", OrderStatus.SHIPPED)
                        .asException();
            case ALREADY_CANCELLED -> answer(200, orderId);
            case CANCELLING -> answer(202, orderId);
        });
    }

    private CompletableFuture<Response> answer(int status, String orderId) {
        return store.read(tx -> OrderDocument.read(tx, orders, history, orderId).orElseThrow())
                .thenApply(document -> Response.json(status, document));
    }
}
