package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.bus.EventBusContract;
import io.caravanserai.bus.EventBusListener;
import io.caravanserai.bus.HubName;
import io.caravanserai.bus.Retry;
import io.caravanserai.config.HubSettings;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.event.EventCodec;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventSchemas;
import io.caravanserai.outbox.Destination;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.outbox.RecordedEvents;
import io.caravanserai.outbox.Relay;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.support.Ids;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;

/**
 * Measures events per second from a unit of work over the outbox and the bus to several subscribers, all durable:
 * {@code java ... BusBenchmark [events] [subscribers]}.
 */
public final class BusBenchmark {
    private static final Ids IDS = new Ids();

    private BusBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        int events = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 40_000;
        int subscribers = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 4;
        Path folder = Files.createTempDirectory("bus-benchmark");
        try (Store store = SqliteStore.open(folder);
                JmsBroker broker = JmsBroker.start(
                        new HubSettings.Jms(Optional.empty(), 0), folder.resolve("broker"), List.of())) {
            DeadLetters letters = new DeadLetters(store, IDS, Clock.systemUTC());
            EventCodec codec = new EventCodec(new EventSchemas(), Map.of());
            try (JmsDeadLetters jmsLetters = new JmsDeadLetters(letters, broker);
                    JmsEventBus bus = new JmsEventBus(
                            broker,
                            HubName.DEFAULT,
                            codec,
                            Retry.USUAL,
                            jmsLetters,
                            new EventBusListener() {},
                            EventBusContract.ALL_RECORDED);
                    Relay relay = new Relay(
                                    Destination.BUS,
                                    store,
                                    codec,
                                    bus::publish,
                                    letters,
                                    new RecordedEvents(store, Clock.systemUTC()),
                                    Clock.systemUTC())
                            .start()) {
                Outbox outbox = new Outbox(IDS, Clock.systemUTC(), List.of(), event -> relay.wake());
                for (int round = 1; round <= 3; round++) {
                    run(round, store, bus, outbox, events, subscribers);
                }
            }
        }
    }

    private static void run(int round, Store store, JmsEventBus bus, Outbox outbox, int events, int subscribers)
            throws Exception {
        CountDownLatch heard = new CountDownLatch(events * subscribers);
        List<JmsEventBus.Subscription> all = new ArrayList<>();
        for (int i = 0; i < subscribers; i++) {
            all.add(bus.subscribe("bench-" + i, event -> {
                heard.countDown();
                return CompletableFuture.completedFuture(null);
            }));
        }
        Semaphore inFlight = new Semaphore(256);
        long began = System.nanoTime();
        for (int i = 0; i < events; i++) {
            String order = "order-" + i / 4;
            inFlight.acquire();
            store.write(
                            "bench",
                            order,
                            tx -> outbox.append(
                                    tx,
                                    order,
                                    new EventData.PaymentProcessed(new BigDecimal("100.00"), "EUR", "pay-1"),
                                    1,
                                    new EventContext("saga-1", null, null)))
                    .whenComplete((event, error) -> inFlight.release());
        }
        double written = (System.nanoTime() - began) / 1e9;
        heard.await();
        double seconds = (System.nanoTime() - began) / 1e9;
        System.out.printf(
                "round %d: %d events, %d subscribers: written %.0f/s, all heard %.0f events/s (%.0f deliveries/s)%n",
                round, events, subscribers, events / written, events / seconds, events * subscribers / seconds);
        all.forEach(JmsEventBus.Subscription::close);
    }
}
