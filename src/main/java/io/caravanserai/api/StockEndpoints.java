package io.caravanserai.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.http.Cursor;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Problem;
import io.caravanserai.http.Problem.Fault;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.service.inventory.Stock;
import io.caravanserai.service.inventory.StockRepository;
import io.caravanserai.store.Store;
import java.math.BigDecimal;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** REST resource for stock. */
public final class StockEndpoints implements HttpEndpoints {
    private static final int LONGEST_SKU = 200;
    private static final BigDecimal MOST = BigDecimal.valueOf(1_000_000_000_000L);

    private final Store store;
    private final StockRepository shelf;

    public StockEndpoints(Store store, StockRepository shelf) {
        this.store = store;
        this.shelf = shelf;
    }

    @Override
    public void register(HttpRoutes routes) {
        routes.get("/stock", Permission.READ, this::list).query("limit", "cursor");
        routes.get("/stock/{sku}", Permission.READ, this::one);
        routes.put("/stock/{sku}", Permission.OPERATE, this::set).consuming(Response.JSON);
    }

    private CompletionStage<Response> list(Request request) {
        int limit = request.limit();
        String after = Cursor.of("stock", request).orElse("");
        return store.list(tx -> shelf.list(tx, after, limit + 1))
                .thenApply(found -> Response.page(Cursor.page("stock", found, limit, Stock::sku, stock -> stock)));
    }

    private CompletionStage<Response> one(Request request) {
        return store.read(tx -> shelf.find(tx, request.path("sku")))
                .thenApply(found -> found.map(stock -> Response.json(200, stock))
                        .orElseThrow(() -> Problem.notFound("sku").asException()));
    }

    private CompletionStage<Response> set(Request request) {
        String sku = request.path("sku");
        if (sku.codePointCount(0, sku.length()) > LONGEST_SKU || sku.indexOf('\0') >= 0 || sku.indexOf('\ufffd') >= 0) {
            throw Problem.badParameter("sku", "must be a text of 1 to " + LONGEST_SKU + " characters")
                    .asException();
        }
        long onHand = onHand(request.object("onHand").path("onHand"));
        return store.write("set-stock", sku, tx -> shelf.set(tx, sku, onHand))
                .thenApply(stock -> Response.json(200, stock));
    }

    private static long onHand(JsonNode value) {
        // Compared without conversion: 1e999999999 as a long would exhaust the memory.
        boolean isCount = value.isNumber()
                && value.decimalValue().signum() >= 0
                && value.decimalValue().compareTo(MOST) <= 0
                && value.decimalValue().stripTrailingZeros().scale() <= 0;
        if (!isCount) {
            String detail = value.isMissingNode() ? "is required" : "must be an integer from 0 to " + MOST;
            throw Problem.invalid(List.of(new Fault("#/onHand", detail))).asException();
        }
        return value.decimalValue().longValueExact();
    }
}
