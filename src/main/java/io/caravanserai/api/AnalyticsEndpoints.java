package io.caravanserai.api;

import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.subscriber.analytics.Analytics;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** REST resource for the order figures. */
public final class AnalyticsEndpoints implements HttpEndpoints {
    private static final Logger LOG = LoggerFactory.getLogger(AnalyticsEndpoints.class);

    private final Analytics analytics;

    public AnalyticsEndpoints(Analytics analytics) {
        this.analytics = analytics;
    }

    @Override
    public void register(HttpRoutes routes) {
        routes.get("/analytics", Permission.READ, this::figures);
        routes.post("/analytics/rebuild", Permission.OPERATE, this::rebuild);
    }

    private CompletionStage<Response> figures(Request request) {
        return analytics.figures().thenApply(figures -> Response.json(200, figures));
    }

    private CompletionStage<Response> rebuild(Request request) {
        analytics.rebuild().whenComplete((done, failure) -> {
            if (failure != null) {
                LOG.warn("figures were not rebuilt; those before stay", failure);
            }
        });
        return CompletableFuture.completedFuture(Response.json(202, Map.of("rebuilding", analytics.isRebuilding()))
                .with("Location", "/analytics"));
    }
}
