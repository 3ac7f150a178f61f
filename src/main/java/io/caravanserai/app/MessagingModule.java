package io.caravanserai.app;

import io.caravanserai.api.DeadLetterEndpoints;
import io.caravanserai.api.EventEndpoints;
import io.caravanserai.api.EventStream;
import io.caravanserai.broker.JmsBroker;
import io.caravanserai.bus.EventBus;
import io.caravanserai.bus.EventBusListener;
import io.caravanserai.bus.HubName;
import io.caravanserai.bus.Retry;
import io.caravanserai.config.HubSettings;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.deadletter.Replays;
import io.caravanserai.event.EventCodec;
import io.caravanserai.event.EventSchemas;
import io.caravanserai.flow.Flows;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.jms.BrokerDlqSynchronizer;
import io.caravanserai.jms.CamelJmsConfiguration;
import io.caravanserai.jms.HubPresence;
import io.caravanserai.jms.JmsDeadLetters;
import io.caravanserai.jms.JmsEventBus;
import io.caravanserai.kafka.KafkaEventBus;
import io.caravanserai.outbox.Destination;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.outbox.RecordedEvents;
import io.caravanserai.outbox.Relay;
import io.caravanserai.store.Store;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.component.jms.JmsComponent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The messaging parts: the broker, the bus, the relay of events to the bus, and the dead letters. */
final class MessagingModule implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MessagingModule.class);

    final JmsBroker broker;
    final DeadLetters deadLetters;
    final JmsDeadLetters jmsDeadLetters;
    final EventSchemas schemas = new EventSchemas();
    final EventCodec codec;
    final EventBus bus;
    final EventLog log;
    final Optional<KafkaModule> kafka;
    private final HubName name;
    private final HubPresence presence;
    private final Relay relay;
    /** Publishes events to Kafka for outside consumers when the bus runs over JMS. */
    private final Optional<Relay> kafkaRelay;

    private final BrokerDlqSynchronizer deadLetterWatch;
    final Replays replays;
    private final EventStream stream;
    private final Deque<AutoCloseable> started = new ArrayDeque<>();

    /**
     * Registers the broker and the bus with Camel. The relay starts with {@link #start}.
     * @param broker started; the caller closes the broker after this module
     * @param context initialised and not started
     */
    MessagingModule(
            HubSettings settings,
            JmsBroker broker,
            Store store,
            Supplier<String> ids,
            Clock clock,
            CamelContext context,
            EventBusListener listener) {
        this.codec = new EventCodec(schemas, settings.events().emit());
        this.name = new HubName(settings.name());
        this.presence = opened(new HubPresence(broker, name, storeId(settings)).start());
        RecordedEvents recorded = new RecordedEvents(store, clock);
        this.deadLetters = new DeadLetters(store, ids, clock);
        this.replays = new Replays(store, deadLetters, ids, clock);
        this.broker = broker;
        this.jmsDeadLetters = opened(new JmsDeadLetters(deadLetters, broker));
        this.deadLetterWatch = opened(new BrokerDlqSynchronizer(broker, deadLetters));
        this.kafka = KafkaModule.open(settings, deadLetters);
        kafka.ifPresent(this::opened);
        Optional<KafkaEventBus> overKafka = kafka.map(side -> opened(
                new KafkaEventBus(side.link, name, codec, Retry.USUAL, side.deadLetters, listener, recorded::find)));
        if (settings.events().bus() == HubSettings.Events.Bus.KAFKA) {
            // The settings have been checked: a bus over Kafka implies Kafka.
            this.bus = overKafka.orElseThrow();
            this.kafkaRelay = Optional.empty();
        } else {
            this.bus =
                    opened(new JmsEventBus(broker, name, codec, Retry.USUAL, jmsDeadLetters, listener, recorded::find));
            this.kafkaRelay = overKafka.map(out ->
                    opened(new Relay(Destination.KAFKA, store, codec, out::publish, deadLetters, recorded, clock)));
        }
        this.relay = opened(new Relay(Destination.BUS, store, codec, bus::publish, deadLetters, recorded, clock));
        this.log = new EventLog(store);
        this.stream = opened(new EventStream(log, settings.http().streams()));
        context.addComponent(
                "jms", new JmsComponent(new CamelJmsConfiguration(broker.pool(), name, Flows::isQueueOfVersion)));
        kafka.ifPresent(side -> side.addTo(context));
        context.getRegistry().bind("eventBus", bus);
    }

    /** Returns the id of the store. Only one process at a time has an embedded store, so each process has a new id. */
    private static String storeId(HubSettings settings) {
        // Hashed, because other hubs receive the id and a URL may contain a login.
        return settings.store()
                .url()
                .map(url -> UUID.nameUUIDFromBytes(url.getBytes(StandardCharsets.UTF_8)))
                .orElseGet(UUID::randomUUID)
                .toString();
    }

    /** Returns a message when another hub with another store has the same name; else empty. */
    Optional<String> sharedName() {
        return presence.unavailableReason()
                .or(() -> kafka.filter(side -> side.link.isNameShared()).map(side -> name.conflict("Kafka")));
    }

    /** Starts the relay, first with pending events. Requires a started Camel context. */
    void start() {
        relay.start();
        kafkaRelay.ifPresent(Relay::start);
        stream.start();
        deadLetterWatch.start();
    }

    /** Call when the log has new events. Never blocks. */
    void newEvents() {
        relay.wake();
        kafkaRelay.ifPresent(Relay::wake);
        stream.wake();
    }

    /** Returns why messages do not flow; empty while all parts work. */
    Optional<String> unavailableReason() {
        return broker.unavailableReason()
                .or(() -> kafka.flatMap(KafkaModule::unavailableReason))
                .or(bus::unavailableReason)
                .or(relay::unavailableReason)
                .or(() -> kafkaRelay.flatMap(Relay::unavailableReason))
                .or(deadLetterWatch::unavailableReason);
    }

    /** Returns why Kafka is unavailable; empty while Kafka is available, and when Kafka is off. */
    Optional<String> kafkaTrouble() {
        return kafka.flatMap(KafkaModule::unavailableReason);
    }

    List<HttpEndpoints> endpoints() {
        return List.of(new EventEndpoints(log, schemas, stream), new DeadLetterEndpoints(deadLetters, replays));
    }

    private <T extends AutoCloseable> T opened(T part) {
        started.push(part);
        return part;
    }

    @Override
    public void close() {
        while (!started.isEmpty()) {
            try {
                started.pop().close();
            } catch (Exception e) {
                LOG.warn("stopping a part of the messaging failed", e);
            }
        }
    }
}
