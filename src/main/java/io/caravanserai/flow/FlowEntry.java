package io.caravanserai.flow;

import io.caravanserai.saga.DurableSagaService;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePattern;
import org.apache.camel.spi.ProducerCache;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.cache.DefaultProducerCache;
import org.apache.camel.support.service.ServiceHelper;

/** Sends accepted orders into their flows. Sending one again is safe: that is how it is resumed. Thread-safe. */
public final class FlowEntry implements AutoCloseable {
    private static final int MOST_PRODUCERS = 1_000;

    private final CamelContext context;
    private final Flows flows;
    private final ProducerCache producers;
    private final Set<String> inFlight = ConcurrentHashMap.newKeySet();

    /**
     * An order about to enter its flow.
     *
     * @param body the order as JSON, for the flow's own steps to look into
     * @param sagaId null in the choreography style
     * @param traceparent null when the request had none
     */
    public record Journey(
            String orderId, String body, String flow, int flowVersion, String sagaId, String traceparent) {}

    public FlowEntry(CamelContext context, Flows flows) {
        this.context = context;
        this.flows = flows;
        this.producers = new DefaultProducerCache(this, context, MOST_PRODUCERS);
        ServiceHelper.startService(producers);
    }

    /**
     * Sends an order into the version of the flow that it was accepted under; nothing happens while it is in it.
     *
     * @return completes when the flow's own route has, whether well or with an exception. What became of the order is
     *     in the store, not here
     */
    public CompletableFuture<Void> dispatch(Journey journey) {
        if (!inFlight.add(journey.orderId())) {
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<Void> done = new CompletableFuture<>();
        try {
            String uri = flows.endpoint(journey.flow(), journey.flowVersion());
            producers
                    .asyncSendExchange(
                            context.getEndpoint(uri), ExchangePattern.InOnly, null, null, exchange(journey), null)
                    .whenComplete((answer, failure) -> {
                        inFlight.remove(journey.orderId());
                        Throwable cause = failure != null ? failure : answer.getException();
                        if (cause == null) {
                            done.complete(null);
                        } else {
                            done.completeExceptionally(cause);
                        }
                    });
        } catch (RuntimeException e) {
            inFlight.remove(journey.orderId());
            done.completeExceptionally(e);
        }
        return done;
    }

    private Exchange exchange(Journey journey) {
        Exchange exchange = new DefaultExchange(context, ExchangePattern.InOnly);
        Map<String, Object> headers = exchange.getMessage().getHeaders();
        headers.put("orderId", journey.orderId());
        headers.put(Exchange.CONTENT_TYPE, "application/json");
        if (journey.sagaId() != null) {
            headers.put(DurableSagaService.SAGA_ID, journey.sagaId());
        }
        if (journey.traceparent() != null) {
            headers.put("traceparent", journey.traceparent());
        }
        exchange.getMessage().setBody(journey.body());
        return exchange;
    }

    /** Whether this process has the order in its flow's own route at present. */
    public boolean isInFlight(String orderId) {
        return inFlight.contains(orderId);
    }

    /** How many orders this process has in their flows' own routes. */
    public int inFlight() {
        return inFlight.size();
    }

    @Override
    public void close() {
        ServiceHelper.stopService(producers);
    }
}
