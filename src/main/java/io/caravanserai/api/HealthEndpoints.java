package io.caravanserai.api;

import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.store.Store;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** REST resource for liveness and readiness. */
public final class HealthEndpoints implements HttpEndpoints {
    private static final String PROBE = """
            INSERT INTO store_probe (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at
            """;
    private static final long PATIENCE_MILLIS = 2_000;

    private final Store store;
    private final Clock clock;
    private final List<HealthCheck> checks;

    /** @param checks in addition to the check of the store */
    public HealthEndpoints(Store store, Clock clock, List<HealthCheck> checks) {
        this.store = store;
        this.clock = clock;
        this.checks = List.copyOf(checks);
    }

    private record Health(String status, List<Check> checks) {}

    /** @param detail null when the check is UP */
    private record Check(String name, String status, String detail) {}

    @Override
    public void register(HttpRoutes routes) {
        routes.get(
                "/observe/health/live",
                Permission.OPEN,
                request -> CompletableFuture.completedFuture(Response.json(200, new Health("UP", List.of()))));
        routes.get("/observe/health/ready", Permission.OPEN, this::ready);
        routes.get("/observe/health", Permission.READ, this::ready);
    }

    private CompletionStage<Response> ready(Request request) {
        return probe().thenApply(done -> {
            List<Check> results = Stream.concat(
                            Stream.of(new HealthCheck("store", store::unavailableReason)), checks.stream())
                    .map(HealthEndpoints::check)
                    .toList();
            boolean up = results.stream().allMatch(check -> check.status().equals("UP"));
            return Response.json(up ? 200 : 503, new Health(up ? "UP" : "DOWN", results));
        });
    }

    private static Check check(HealthCheck check) {
        return check.unavailableReason()
                .get()
                .map(trouble -> new Check(check.name(), "DOWN", trouble))
                .orElseGet(() -> new Check(check.name(), "UP", null));
    }

    /** Writes to a store that is unavailable, because without traffic no other write would detect the recovery. */
    private CompletableFuture<Integer> probe() {
        if (store.unavailableReason().isEmpty()) {
            return CompletableFuture.completedFuture(0);
        }
        return store.write("probe", "probe", tx -> tx.update(PROBE, clock.instant()))
                .completeOnTimeout(0, PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
                .exceptionally(failure -> 0);
    }
}
