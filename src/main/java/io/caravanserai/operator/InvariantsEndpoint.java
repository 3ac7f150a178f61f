package io.caravanserai.operator;

import io.caravanserai.http.Access;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.http.Timestamps;
import io.caravanserai.ledger.Ledger;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Whether the books balance, over HTTP. */
public final class InvariantsEndpoint implements HttpEndpoints {
    private final Ledger ledger;

    public InvariantsEndpoint(Ledger ledger) {
        this.ledger = ledger;
    }

    private record Document(boolean ok, String at, List<Ledger.Check> checks) {}

    @Override
    public void register(HttpRoutes routes) {
        routes.get("/invariants", Access.READ, this::invariants);
    }

    private CompletionStage<Response> invariants(Request request) {
        return ledger.report()
                .thenApply(report ->
                        Response.json(200, new Document(report.ok(), Timestamps.text(report.at()), report.checks())));
    }
}
