package io.caravanserai.http;

import io.vertx.core.Handler;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpConsumer;

/** A route of a flow that begins with HTTP. What goes wrong in it is answered with problem details. */
final class FlowHttpConsumer extends VertxPlatformHttpConsumer {

    FlowHttpConsumer(
            PlatformHttpEndpoint endpoint,
            Processor processor,
            List<Handler<RoutingContext>> handlers,
            String routerName) {
        super(endpoint, new FlowAnswer(processor, endpoint.isMuteException()), handlers, routerName);
    }

    @Override
    public void doneUoW(Exchange exchange) {
        // The answer has been written; what completes with the exchange must see that the route failed.
        FlowAnswer.restore(exchange);
        super.doneUoW(exchange);
    }
}
