package io.caravanserai.saga;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePattern;
import org.apache.camel.spi.ProducerCache;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.cache.DefaultProducerCache;
import org.apache.camel.support.service.ServiceHelper;

/**
 * Sends messages to compensation and completion endpoints: an empty body, and the options of the step and the saga id
 * as headers. All messages share one producer cache: separate producers would stay in the context forever.
 */
final class SagaMessages implements AutoCloseable {
    private static final int MAX_PRODUCERS = 1_000;

    private final CamelContext context;
    private final ProducerCache producers;

    SagaMessages(CamelContext context) {
        this.context = context;
        this.producers = new DefaultProducerCache(this, context, MAX_PRODUCERS);
        ServiceHelper.startService(producers);
    }

    /**
     * Calls a completion endpoint. Completes when the route of the endpoint has ended; exceptionally with the failure
     * of the route.
     */
    CompletableFuture<Void> complete(String uri, String sagaId, Map<String, String> options) {
        return send(uri, sagaId, options, false);
    }

    /** Calls a compensation endpoint; otherwise like {@link #complete}. */
    CompletableFuture<Void> compensate(String uri, String sagaId, Map<String, String> options) {
        return send(uri, sagaId, options, true);
    }

    private CompletableFuture<Void> send(String uri, String sagaId, Map<String, String> options, boolean compensating) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        try {
            Endpoint endpoint = context.getEndpoint(uri);
            Exchange exchange = new DefaultExchange(context, ExchangePattern.InOut);
            // The caller retries a failure; the failure is not a failure of the order.
            exchange.setProperty(DurableSagaService.CAUSE_TOLD, true);
            options.forEach(exchange.getMessage()::setHeader);
            exchange.getMessage().setHeader(Exchange.SAGA_LONG_RUNNING_ACTION, sagaId);
            if (compensating) {
                exchange.getMessage().setHeader(DurableSagaService.COMPENSATING, true);
            }
            producers
                    .asyncSendExchange(endpoint, ExchangePattern.InOut, null, null, exchange, null)
                    .whenComplete((answer, failure) -> {
                        Throwable cause = failure != null ? failure : answer.getException();
                        if (cause == null) {
                            sent.complete(null);
                        } else {
                            sent.completeExceptionally(cause);
                        }
                    });
        } catch (RuntimeException e) {
            sent.completeExceptionally(e);
        }
        return sent;
    }

    @Override
    public void close() {
        ServiceHelper.stopService(producers);
    }
}
