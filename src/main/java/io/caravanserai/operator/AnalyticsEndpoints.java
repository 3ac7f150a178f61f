package io.caravanserai.operator;

import io.caravanserai.http.Access;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.subscriber.analytics.Analytics;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Figures about orders over HTTP. */
public final class AnalyticsEndpoints implements HttpEndpoints {
    private static final Logger LOG = LoggerFactory.getLogger(AnalyticsEndpoints.class);

    private final Analytics analytics;

    public AnalyticsEndpoints(Analytics analytics) {
        this.analytics = analytics;
    }

    @Override
    public void register(HttpRoutes routes) {
        routes.get("/analytics", Access.READ, this::figures);
        routes.post("/analytics/rebuild", Access.OPERATE, this::rebuild);
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
