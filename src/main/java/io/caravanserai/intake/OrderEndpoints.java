package io.caravanserai.intake;

import io.caravanserai.http.Cursor;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Problem;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.service.order.OrderFilter;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/** REST resource for orders: submit and read. */
public final class OrderEndpoints implements HttpEndpoints {
    private final OrderSubmissions door;
    private final OrderPosts posts;

    public OrderEndpoints(OrderSubmissions door, OrderReader reader) {
        this.door = door;
        this.posts = new OrderPosts(door, reader);
    }

    @Override
    public void register(HttpRoutes routes) {
        routes.post("/orders", Permission.SEND_ORDERS, posts::post)
                .consuming(Response.JSON)
                .query("style");
        routes.get("/orders", Permission.READ_ORDERS, this::list)
                .query("status", "style", "customerId", "limit", "cursor");
        routes.get("/orders/{id}", Permission.READ_ORDERS, this::one);
    }

    private CompletionStage<Response> one(Request request) {
        return door.store()
                .read(tx -> OrderDocument.read(tx, door.orders(), door.history(), request.path("id")))
                .thenApply(found -> found.map(order -> Response.json(200, order))
                        .orElseThrow(() -> Problem.notFound("order").asException()));
    }

    private CompletionStage<Response> list(Request request) {
        int limit = request.limit();
        OrderFilter filter = new OrderFilter(
                request.query("status").map(OrderEndpoints::status).orElse(null),
                request.query("style").map(this::style).orElse(null),
                request.query("customerId").orElse(null),
                Cursor.numberOf("orders", request).orElse(null),
                limit + 1);
        return door.store()
                .list(tx -> door.orders().list(tx, filter))
                .thenApply(found -> Response.page(Cursor.page(
                        "orders",
                        found,
                        limit,
                        order -> String.valueOf(order.sequence()),
                        OrderDocument::withoutHistory)));
    }

    private static OrderStatus status(String name) {
        Optional<OrderStatus> status = Arrays.stream(OrderStatus.values())
                .filter(each -> each.name().equals(name))
                .findFirst();
        String names = Arrays.stream(OrderStatus.values()).map(Enum::name).collect(Collectors.joining(", "));
        return status.orElseThrow(
                () -> Problem.badParameter("status", "must be one of " + names).asException());
    }

    private OrderStyle style(String name) {
        return door.entry()
                .style(name)
                .orElseThrow(() -> Problem.badParameter(
                                "style", "must be one of " + door.entry().styleNames())
                        .asException());
    }
}
