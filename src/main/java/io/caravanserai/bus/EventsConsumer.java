package io.caravanserai.bus;

import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventJson;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Processor;
import org.apache.camel.support.DefaultConsumer;

/** Sends each event into a route; the event is done with when the route is, and comes again when the route fails. */
final class EventsConsumer extends DefaultConsumer {
    /** Such as {@code order-pubsub@7} and {@code pubsub-pay@order-pubsub.7}. */
    private static final Pattern VERSION = Pattern.compile(".*@(?:.*\\.)?(\\d{1,9})");

    private final String subscriber;
    private final EventFilter filter;
    private final SubscriptionRegistry listeners;

    EventsConsumer(
            Endpoint endpoint,
            Processor processor,
            SubscriptionRegistry listeners,
            String subscriber,
            EventFilter filter) {
        super(endpoint, processor);
        this.subscriber = subscriber;
        this.filter = filter;
        this.listeners = listeners;
    }

    @Override
    protected void doStart() throws Exception {
        super.doStart();
        listeners.join(this);
    }

    @Override
    protected void doStop() {
        listeners.leave(this);
        // Not the steps behind it, as is usual: what is in them goes on. They stop with their route.
    }

    String subscriber() {
        return subscriber;
    }

    EventFilter filter() {
        return filter;
    }

    /** Of the flow the route belongs to; 0 for a route that has no versions. */
    int version() {
        Matcher version = VERSION.matcher(String.valueOf(getRouteId()));
        return version.matches() ? Integer.parseInt(version.group(1)) : 0;
    }

    /**
     * Whether the order that the event drives is still under way: then the flow may be mended yet. Who hears the events of
     * all styles drives none.
     */
    CompletableFuture<Boolean> keepsTrying(CloudEvent event) {
        OpenOrders orders =
                getEndpoint().getCamelContext().getRegistry().lookupByNameAndType("openOrders", OpenOrders.class);
        return orders == null || filter.style().isEmpty()
                ? CompletableFuture.completedFuture(false)
                : orders.isOpen(event.orderId());
    }

    /** Handles an event; completes at once when a reaction that failed is repeated elsewhere. */
    CompletableFuture<Void> hear(CloudEvent event) {
        Reactions reactions = reactions();
        if (reactions == null || !isReaction(event)) {
            return send(event);
        }
        return reactions
                .isSeenTo(event, subscriber)
                .thenCompose(
                        seenTo -> seenTo ? CompletableFuture.<Void>completedFuture(null) : react(event, reactions));
    }

    private CompletableFuture<Void> react(CloudEvent event, Reactions reactions) {
        return again(event).handle((nothing, failure) -> failure).thenCompose(failure -> {
            if (failure == null) {
                return CompletableFuture.<Void>completedFuture(null);
            }
            return reactions
                    .takeOver(event, subscriber, failure, false)
                    .thenCompose(taken -> taken
                            ? CompletableFuture.<Void>completedFuture(null)
                            : CompletableFuture.failedFuture(failure));
        });
    }

    /** Handles an event and records that it was handled; fails when the route does. */
    CompletableFuture<Void> again(CloudEvent event) {
        Reactions reactions = reactions();
        return reactions == null ? send(event) : send(event).thenCompose(nothing -> reactions.done(event, subscriber));
    }

    /** Takes an event over whose attempts are used up; false when the bus is to see to the event. */
    CompletableFuture<Boolean> takeOver(CloudEvent event, Throwable failure) {
        Reactions reactions = reactions();
        return reactions == null || !isReaction(event)
                ? CompletableFuture.completedFuture(false)
                : reactions.takeOver(event, subscriber, failure, true);
    }

    private Reactions reactions() {
        return getEndpoint().getCamelContext().getRegistry().lookupByNameAndType("reactions", Reactions.class);
    }

    /** Whether the event is about an order that turns back without a saga, and this is a part of its flow. */
    private boolean isReaction(CloudEvent event) {
        return filter.style().isPresent()
                && event.context().sagaId() == null
                && EventsComponent.isToReactTo(event.type());
    }

    private CompletableFuture<Void> send(CloudEvent event) {
        CompletableFuture<Void> handled = new CompletableFuture<>();
        Exchange exchange = exchange(event);
        getAsyncProcessor().process(exchange, doneSynchronously -> {
            Throwable failure = failure(exchange);
            releaseExchange(exchange, false);
            if (failure == null) {
                handled.complete(null);
            } else {
                handled.completeExceptionally(failure);
            }
        });
        return handled;
    }

    /**
     * A flow may handle any exception, and with it an outage of the database. Then nothing of the step has happened, and
     * the event that led to it is to come again.
     */
    private static Throwable failure(Exchange exchange) {
        Throwable caught = exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Throwable.class);
        return exchange.getException() == null && DeadLetters.isAway(caught) ? caught : exchange.getException();
    }

    private Exchange exchange(CloudEvent event) {
        Exchange exchange = createExchange(false);
        exchange.getMessage().setBody(event.data());
        Map<String, Object> headers = exchange.getMessage().getHeaders();
        headers.put("orderId", event.orderId());
        headers.put(EventsComponent.EVENT_ID, event.id());
        headers.put(EventsComponent.EVENT_TYPE, event.type().name());
        headers.put(EventsComponent.EVENT_TIME, event.attributes().get("time"));
        headers.put(EventsComponent.MAYBE_AGAIN, true);
        headers.put("causationId", event.id());
        EventJson.status(event.data()).ifPresent(status -> headers.put(EventsComponent.ORDER_STATUS, status));
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
