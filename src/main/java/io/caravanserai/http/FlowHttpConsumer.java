package io.caravanserai.http;

import io.vertx.core.Handler;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpConsumer;

/** The HTTP consumer of a route in a flow. Answers failures with problem details. */
final class FlowHttpConsumer extends VertxPlatformHttpConsumer {
    private final RouteThreads threads;

    FlowHttpConsumer(
            PlatformHttpEndpoint endpoint,
            Processor processor,
            List<Handler<RoutingContext>> handlers,
            String routerName,
            RouteThreads threads) {
        super(endpoint, new FlowAnswer(processor, endpoint.isMuteException()), handlers, routerName);
        this.threads = threads;
    }

    @Override
    protected void handleRequest(RoutingContext request) {
        super.handleRequest(threads.of(request));
    }

    @Override
    public void doneUoW(Exchange exchange) {
        // The response has been written; completions of the exchange must see the failure of the route.
        FlowAnswer.restore(exchange);
        super.doneUoW(exchange);
    }
}
