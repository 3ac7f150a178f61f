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

/**
 * Camel consumer that processes each event in a route. A completed route completes the event; a failed route causes a
 * redelivery.
 */
final class EventsConsumer extends DefaultConsumer {
    /** Route ids with a flow version, such as {@code order-pubsub@7} and {@code pubsub-pay@order-pubsub.7}. */
    private static final Pattern VERSION = Pattern.compile(".*@(?:.*\\.)?(\\d{1,9})");

    private final String subscriber;
    private final EventFilter filter;
    private final SubscriptionRegistry subscriptions;

    EventsConsumer(
            Endpoint endpoint,
            Processor processor,
            SubscriptionRegistry subscriptions,
            String subscriber,
            EventFilter filter) {
        super(endpoint, processor);
        this.subscriber = subscriber;
        this.filter = filter;
        this.subscriptions = subscriptions;
    }

    @Override
    protected void doStart() throws Exception {
        super.doStart();
        subscriptions.join(this);
    }

    @Override
    protected void doStop() {
        subscriptions.leave(this);
        // Does not stop the processor, unlike DefaultConsumer: exchanges in flight complete, and the processor stops
        // with the route.
    }

    String subscriber() {
        return subscriber;
    }

    EventFilter filter() {
        return filter;
    }

    /** The version of the flow that owns the route; 0 for a route without a version. */
    int version() {
        Matcher version = VERSION.matcher(String.valueOf(getRouteId()));
        return version.matches() ? Integer.parseInt(version.group(1)) : 0;
    }

    /**
     * Whether the order of the event is still open, so that a corrected flow can still handle the event. Always false
     * for a subscriber without a style: an event for all styles drives no order.
     */
    CompletableFuture<Boolean> keepsTrying(CloudEvent event) {
        OpenOrders orders =
                getEndpoint().getCamelContext().getRegistry().lookupByNameAndType("openOrders", OpenOrders.class);
        return orders == null || filter.style().isEmpty()
                ? CompletableFuture.completedFuture(false)
                : orders.isOpen(event.orderId());
    }

    /**
     * Handles an event. Completes without running the route when the reaction is already done or repeated by a saga.
     */
    CompletableFuture<Void> handle(CloudEvent event) {
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

    /** Handles an event and records the handling. Fails when the route fails. */
    CompletableFuture<Void> again(CloudEvent event) {
        Reactions reactions = reactions();
        return reactions == null ? send(event) : send(event).thenCompose(nothing -> reactions.done(event, subscriber));
    }

    /** Takes over an event after the last attempt; false when the bus remains responsible for the event. */
    CompletableFuture<Boolean> takeOver(CloudEvent event, Throwable failure) {
        Reactions reactions = reactions();
        return reactions == null || !isReaction(event)
                ? CompletableFuture.completedFuture(false)
                : reactions.takeOver(event, subscriber, failure, true);
    }

    private Reactions reactions() {
        return getEndpoint().getCamelContext().getRegistry().lookupByNameAndType("reactions", Reactions.class);
    }

    /** Whether a flow of one style handles a failure or compensation event of an order without a saga. */
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
     * The failure of the exchange. A flow may handle every exception, including an outage of the database. An outage
     * still fails the event: the step had no effect, so the event must be redelivered.
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
