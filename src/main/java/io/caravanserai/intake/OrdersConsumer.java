package io.caravanserai.intake;

import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.flow.yaml.RouteName;
import io.caravanserai.saga.DurableSagaService;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Processor;
import org.apache.camel.support.DefaultConsumer;

/** Camel consumer that sends each received message through a route, which submits the order. */
final class OrdersConsumer extends DefaultConsumer {
    private final String source;
    private final IntakeRoutes routes;

    /** @param routes null in a context without ways in, such as that of a check: the route then gets no message */
    OrdersConsumer(Endpoint endpoint, Processor processor, String source, IntakeRoutes routes) {
        super(endpoint, processor);
        this.source = source;
        this.routes = routes;
    }

    @Override
    protected void doStart() throws Exception {
        super.doStart();
        if (routes != null) {
            routes.join(this);
        }
    }

    @Override
    protected void doStop() {
        if (routes != null) {
            routes.leave(this);
        }
        // Does not stop the processor, unlike DefaultConsumer: exchanges in flight complete, and the processor stops
        // with the route.
    }

    /** Kind and name of the queue or topic, such as {@code jms:orders}. */
    String source() {
        return source;
    }

    /** The version of the flow that owns the route; 0 for a route without a version. */
    int version() {
        return RouteName.of(getRouteId()).map(RouteName::version).orElse(0);
    }

    /** Runs the route for a message. Completes when the route has ended; fails when the route has failed. */
    CompletableFuture<Void> run(Object body, Map<String, String> headers, Submission submission) {
        CompletableFuture<Void> ended = new CompletableFuture<>();
        Exchange exchange = createExchange(false);
        exchange.getMessage().setBody(body);
        exchange.getMessage().getHeaders().putAll(headers);
        exchange.setProperty(OrdersComponent.SUBMISSION, submission);
        // The ingress records a failure, as a dead letter or an answer.
        exchange.setProperty(DurableSagaService.CAUSE_TOLD, true);
        try {
            getAsyncProcessor().process(exchange, doneSynchronously -> {
                Throwable failure = failure(exchange);
                releaseExchange(exchange, false);
                if (failure == null) {
                    ended.complete(null);
                } else {
                    ended.completeExceptionally(failure);
                }
            });
        } catch (Throwable e) {
            // An error, such as that of a parser on a deeply nested body, concerns this message only.
            ended.completeExceptionally(e);
        }
        return ended;
    }

    /** A route may handle every exception. An outage still fails the message: the order is not durable. */
    private static Throwable failure(Exchange exchange) {
        Throwable caught = exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Throwable.class);
        return exchange.getException() == null && DeadLetters.isAway(caught) ? caught : exchange.getException();
    }
}
