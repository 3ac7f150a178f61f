package io.caravanserai.http;

import io.vertx.core.Vertx;
import org.apache.camel.Processor;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.component.platform.http.spi.PlatformHttpConsumer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpEngine;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;

/** Camel's engine for {@code platform-http} and {@code rest} routes, with problem details for failures. */
final class FlowHttpEngine extends VertxPlatformHttpEngine {
    private final RouteThreads threads;

    FlowHttpEngine(Vertx vertx) {
        this.threads = new RouteThreads(vertx);
    }

    @Override
    public PlatformHttpConsumer createConsumer(PlatformHttpEndpoint endpoint, Processor processor) {
        return new FlowHttpConsumer(
                endpoint,
                processor,
                getHandlers(),
                VertxPlatformHttpRouter.getRouterNameFromPort(getServerPort()),
                threads);
    }
}
