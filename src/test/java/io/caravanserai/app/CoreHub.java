package io.caravanserai.app;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.bus.EventBusListener;
import io.caravanserai.config.HubSettings;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.flow.FlowEntry;
import io.caravanserai.order.Order;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.Style;
import io.caravanserai.service.order.OrderView;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.support.Ids;
import java.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.CamelContext;
import org.apache.camel.impl.DefaultCamelContext;

/** A hub without HTTP in the test process: store, broker, bus, services and flows as in a complete hub. */
final class CoreHub implements AutoCloseable {
    final SqliteStore store;
    final CamelContext context = new DefaultCamelContext();
    final JmsBroker broker;
    final MessagingModule messaging;
    final OrderModule core;
    final Subscribers subscribers;
    /** Number of events delivered to subscribers over the bus. */
    final AtomicInteger heard = new AtomicInteger();

    private CoreHub(HubSettings settings) {
        Clock clock = Clock.systemUTC();
        store = SqliteStore.open(settings.dataDir());
        AtomicReference<MessagingModule> relay = new AtomicReference<>();
        broker = JmsBroker.start(
                settings.jms(),
                settings.dataDir().resolve("broker"),
                settings.security().keys());
        messaging = new MessagingModule(settings, broker, store, new Ids(), clock, context, new EventBusListener() {
            @Override
            public void heard(String subscriber, CloudEvent event, int version) {
                heard.incrementAndGet();
            }
        });
        relay.set(messaging);
        core = new OrderModule(
                settings, store, context, clock, event -> relay.get().newEvents());
        subscribers = new Subscribers(settings, store, messaging.log, messaging.deadLetters, clock);
    }

    static CoreHub start(HubSettings settings) throws Exception {
        CoreHub hub = startWithoutRelay(settings);
        hub.messaging.start();
        return hub;
    }

    /** The broker runs, but receives no events. */
    static CoreHub startWithoutRelay(HubSettings settings) throws Exception {
        CoreHub hub = new CoreHub(settings);
        hub.context.addRoutes(hub.core.routes());
        hub.context.addRoutes(hub.subscribers.routes());
        hub.context.getShutdownStrategy().setTimeout(10);
        hub.context.start();
        hub.core.start();
        hub.subscribers.listenTo(hub.messaging.bus);
        return hub;
    }

    void stock(String sku, long onHand) {
        store.write("stock", "stock", tx -> core.shelf.set(tx, sku, onHand)).join();
    }

    /** Accepts an order and sends the order into the flow. Completes at the end of the order. */
    CompletableFuture<Void> submit(Order order, Style style) {
        int version = core.flows.newest(style.flow()).orElseThrow().version().version();
        String sagaId = style.isOrchestrated() ? core.ids.get() : null;
        CompletableFuture<Void> ended = core.outcomes.await(order.orderId());
        return store.write(
                        "accept-order",
                        order.orderId(),
                        tx -> core.orders.accept(tx, order, style, version, sagaId, null))
                .thenCompose(accepted -> {
                    core.entry.dispatch(new FlowEntry.Journey(
                            order.orderId(), OrderJson.write(order), style.flow(), version, sagaId, null));
                    return ended;
                });
    }

    OrderView order(String orderId) {
        return store.read(tx -> core.orders.view(tx, orderId)).join().orElseThrow();
    }

    @Override
    public void close() {
        core.close();
        context.stop();
        subscribers.close();
        messaging.close();
        broker.close();
        store.close();
    }
}
