package io.caravanserai.subscriber;

import io.caravanserai.bus.EventHandler;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.outbox.StoredEvent;
import io.caravanserai.store.SingleFlight;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.support.AsyncProcessorSupport;

/**
 * Endpoints by which a flow has a subscriber hear of an order at once: what has happened to the order named in the header
 * {@code orderId} is read from the log and handed over. The bus brings the same events too. Whichever comes first has the
 * effect, the other none; so nothing is lost when a flow leaves this out, fails before it comes to it, or when there is so
 * much to do that it is left to the bus.
 */
public final class SubscriberRoutes extends RouteBuilder {
    /** More than an order ever has. */
    private static final int EVENTS = 100;

    /** Beyond this many hand-overs at a time the bus is left to it: orders under way come first. */
    private static final int AT_ONCE = 8;

    private final EventLog log;
    private final Semaphore free = new Semaphore(AT_ONCE);
    private final Map<String, EventHandler> subscribers = new LinkedHashMap<>();
    private final SingleFlight<String, List<StoredEvent>> beingRead = new SingleFlight<>();

    public SubscriberRoutes(EventLog log) {
        this.log = log;
    }

    /**
     * Adds {@code direct:} plus the name.
     *
     * @param subscriber does nothing for an event it has handled before, also when both are under way together
     */
    public SubscriberRoutes with(String name, EventHandler subscriber) {
        subscribers.put(name, subscriber);
        return this;
    }

    @Override
    public void configure() {
        subscribers.forEach((name, subscriber) -> from("direct:" + name)
                .routeId(name)
                .errorHandler(noErrorHandler())
                .process(new HandOver(name, subscriber)));
    }

    private final class HandOver extends AsyncProcessorSupport {
        private final String name;
        private final EventHandler subscriber;

        HandOver(String name, EventHandler subscriber) {
            this.name = name;
            this.subscriber = subscriber;
        }

        @Override
        public boolean process(Exchange exchange, AsyncCallback callback) {
            String orderId = exchange.getMessage().getHeader("orderId", String.class);
            if (orderId == null) {
                exchange.setException(new IllegalArgumentException(name + " needs the header orderId"));
                callback.done(true);
                return true;
            }
            if (!free.tryAcquire()) {
                callback.done(true);
                return true;
            }
            whatHappenedTo(orderId).thenCompose(this::handOver).whenComplete((done, failure) -> {
                free.release();
                if (failure != null) {
                    exchange.setException(failure instanceof CompletionException ? failure.getCause() : failure);
                }
                callback.done(false);
            });
            return false;
        }

        /** One after the other: who has missed one must not hear those after it. */
        private CompletableFuture<Void> handOver(List<StoredEvent> events) {
            CompletableFuture<Void> handled = CompletableFuture.completedFuture(null);
            for (StoredEvent each : events) {
                if (subscriber.wants(each.event().type().name())) {
                    handled = handled.thenCompose(done -> subscriber.handle(each.event()));
                }
            }
            return handled;
        }
    }

    /** Subscribers that ask beside each other share what is read. */
    private CompletableFuture<List<StoredEvent>> whatHappenedTo(String orderId) {
        return beingRead.get(orderId, () -> log.ofOrder(orderId, 0, EVENTS));
    }
}
