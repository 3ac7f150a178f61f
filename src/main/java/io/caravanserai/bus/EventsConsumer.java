package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.support.DefaultConsumer;

/** Sends each event into a route; the event is done with when the route is, and comes again when the route fails. */
final class EventsConsumer extends DefaultConsumer implements EventHandler {
    private final String subscriber;
    private final Set<String> types;
    private EventBus.Subscription subscription;

    /** @param types empty for all */
    EventsConsumer(Endpoint endpoint, Processor processor, String subscriber, Set<String> types) {
        super(endpoint, processor);
        this.subscriber = subscriber;
        this.types = Set.copyOf(types);
    }

    @Override
    protected void doStart() throws Exception {
        super.doStart();
        EventBus bus = getEndpoint().getCamelContext().getRegistry().findSingleByType(EventBus.class);
        if (bus == null) {
            throw new IllegalStateException("there is no event bus in this Camel context");
        }
        subscription = bus.subscribe(subscriber, this);
    }

    @Override
    protected void doStop() throws Exception {
        if (subscription != null) {
            subscription.close();
            subscription = null;
        }
        super.doStop();
    }

    @Override
    public boolean wants(String type) {
        return types.isEmpty() || types.contains(type);
    }

    @Override
    public CompletableFuture<Void> handle(CloudEvent event) {
        CompletableFuture<Void> handled = new CompletableFuture<>();
        Exchange exchange = exchange(event);
        getAsyncProcessor().process(exchange, doneSynchronously -> {
            Exception failure = exchange.getException();
            releaseExchange(exchange, false);
            if (failure == null) {
                handled.complete(null);
            } else {
                handled.completeExceptionally(failure);
            }
        });
        return handled;
    }

    private Exchange exchange(CloudEvent event) {
        Exchange exchange = createExchange(false);
        exchange.getMessage().setBody(event.data());
        Map<String, Object> headers = exchange.getMessage().getHeaders();
        headers.put("orderId", event.orderId());
        headers.put(EventsComponent.EVENT_ID, event.id());
        headers.put(EventsComponent.EVENT_TYPE, event.type().name());
        headers.put(EventsComponent.EVENT_TIME, event.attributes().get("time"));
        headers.put("causationId", event.id());
        headers.put(Exchange.CONTENT_TYPE, CloudEvent.CONTENT_TYPE);
        if (event.context().sagaId() != null) {
            headers.put(Exchange.SAGA_LONG_RUNNING_ACTION, event.context().sagaId());
        }
        if (event.context().traceparent() != null) {
            headers.put("traceparent", event.context().traceparent());
        }
        return exchange;
    }
}
