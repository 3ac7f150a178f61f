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
 * Endpoints that a flow calls to notify a subscriber at once: the events of the order in the header {@code orderId} are
 * read from the log and passed to the subscriber. The bus delivers the same events too, and the first delivery takes
 * effect. So no event is lost when a flow omits the call, fails before the call, or skips the call under load.
 */
public final class SubscriberRoutes extends RouteBuilder {
    /** More events than an order ever has. */
    private static final int EVENTS = 100;

    /** Above this number of concurrent calls the bus delivers alone: orders in flight have priority. */
    private static final int AT_ONCE = 8;

    private final EventLog log;
    private final Semaphore free = new Semaphore(AT_ONCE);
    private final Map<String, EventHandler> subscribers = new LinkedHashMap<>();
    private final SingleFlight<String, List<StoredEvent>> beingRead = new SingleFlight<>();

    public SubscriberRoutes(EventLog log) {
        this.log = log;
    }

    /**
     * Adds an endpoint {@code direct:} plus the name.
     * @param subscriber must ignore an event that was handled before, also when both deliveries run concurrently
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

        /** In sequence: after a failed event the subscriber must not receive later events. */
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

    /** Subscribers that read concurrently share one read. */
    private CompletableFuture<List<StoredEvent>> whatHappenedTo(String orderId) {
        return beingRead.get(orderId, () -> log.ofOrder(orderId, 0, EVENTS));
    }
}
