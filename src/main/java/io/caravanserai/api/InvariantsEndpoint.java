package io.caravanserai.api;

import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.ledger.Ledger;
import io.caravanserai.support.Timestamps;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** REST resource for the invariants of the ledger. */
public final class InvariantsEndpoint implements HttpEndpoints {
    private final Ledger ledger;

    public InvariantsEndpoint(Ledger ledger) {
        this.ledger = ledger;
    }

    private record Document(boolean ok, String at, List<Ledger.Check> checks) {}

    @Override
    public void register(HttpRoutes routes) {
        routes.get("/invariants", Permission.READ, this::invariants);
    }

    private CompletionStage<Response> invariants(Request request) {
        return ledger.report()
                .thenApply(report ->
                        Response.json(200, new Document(report.ok(), Timestamps.text(report.at()), report.checks())));
    }
}
