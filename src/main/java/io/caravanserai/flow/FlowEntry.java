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

/** Sends accepted orders into flows. A repeated send is safe and resumes an order. Thread-safe. */
public final class FlowEntry implements AutoCloseable {
    private static final int MOST_PRODUCERS = 1_000;

    private final CamelContext context;
    private final Flows flows;
    private final ProducerCache producers;
    private final Set<String> inFlight = ConcurrentHashMap.newKeySet();

    /**
     * An order on the way into a flow.
     * @param body the order as JSON, for steps of the flow
     * @param sagaId null in the choreography style
     * @param traceparent null without a trace context in the request
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
     * Sends an order into the flow version in which the order was accepted. Does nothing while the order is in the
     * flow.
     * @return completes when the main route of the flow has ended, normally or with an exception. The outcome of the
     *     order is in the store only
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

    /** Whether this process runs the main route of the flow for the order. */
    public boolean isInFlight(String orderId) {
        return inFlight.contains(orderId);
    }

    /** Number of orders for which this process runs the main route of a flow. */
    public int inFlight() {
        return inFlight.size();
    }

    @Override
    public void close() {
        ServiceHelper.stopService(producers);
    }
}
