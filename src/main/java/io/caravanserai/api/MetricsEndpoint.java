package io.caravanserai.api;

import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Response;
import io.caravanserai.saga.DurableSagaService;
import io.caravanserai.store.Store;
import io.caravanserai.telemetry.HubMeters;
import io.caravanserai.telemetry.OpenWork;
import java.time.Clock;

/** REST resource for the meters, in the text format of Prometheus. */
public final class MetricsEndpoint implements HttpEndpoints {
    private static final String PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

    private final Store store;
    private final DurableSagaService sagas;
    private final HubMeters meters;

    public MetricsEndpoint(Store store, DurableSagaService sagas, HubMeters meters) {
        this.store = store;
        this.sagas = sagas;
        this.meters = meters;
    }

    @Override
    public void register(HttpRoutes routes) {
        routes.get(
                "/observe/metrics",
                Permission.READ,
                // The meters are served without counts of open work when the store cannot be read: an outage is when
                // operators need the other meters most.
                request -> store.list(tx -> OpenWork.read(tx, sagas.log().countOpen(tx), Clock.systemUTC()))
                        .exceptionally(failure -> OpenWork.none())
                        .thenApply(open -> {
                            meters.open(open);
                            return Response.of(200, PROMETHEUS_TEXT, meters.scrape());
                        }));
    }
}
