package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.bus.Delivery;
import io.caravanserai.bus.EventBus;
import io.caravanserai.bus.EventBusListener;
import io.caravanserai.bus.EventFilter;
import io.caravanserai.bus.EventHandler;
import io.caravanserai.bus.EventVerifier;
import io.caravanserai.bus.HubName;
import io.caravanserai.bus.Retry;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventCodec;
import io.caravanserai.support.Utf8;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.activemq.artemis.jms.client.ActiveMQDestination;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Events over the JMS topic {@code order-events}, as CloudEvents in binary mode. Each subscriber has a durable shared
 * subscription, named after the hub and the subscriber: {@code hub-payment}. Events of hubs with other names are
 * skipped.
 */
public final class JmsEventBus implements EventBus {
    /** The topic that carries every event. */
    public static final String TOPIC = "order-events";

    private static final Logger LOG = LoggerFactory.getLogger(JmsEventBus.class);

    /** Artemis' error code for a subscription that exists with another filter. */
    private static final String OTHER_FILTER = "AMQ229083";

    private static final int MAX_IN_FLIGHT = 1_000;
    private static final int THREADS_PER_SUBSCRIBER = 8;

    /**
     * Messages of one group go to one consumer, so hubs that share a subscription keep the events of an order in
     * sequence. The number of groups is fixed, because a broker remembers each group.
     */
    private static final int GROUPS = 512;

    private final JmsBroker broker;
    private final HubName name;
    private final EventCodec codec;
    private final Retry retry;
    private final JmsDeadLetters deadLetters;
    private final EventBusListener listener;
    private final EventVerifier verifier;
    private final JmsSender publisher;
    private final List<JmsSubscription> subscriptions = new CopyOnWriteArrayList<>();

    public JmsEventBus(
            JmsBroker broker,
            HubName name,
            EventCodec codec,
            Retry retry,
            JmsDeadLetters deadLetters,
            EventBusListener listener,
            EventVerifier verifier) {
        this.broker = broker;
        this.name = name;
        this.codec = codec;
        this.retry = retry;
        this.deadLetters = deadLetters;
        this.listener = listener;
        this.verifier = verifier;
        this.publisher = new JmsSender("events", broker).start();
    }

    @Override
    public CompletableFuture<Void> publish(List<CloudEvent> events) {
        // The broker keeps an event only for subscriptions that exist at the time of publishing.
        CompletableFuture<?>[] known = subscriptions.stream()
                .map(subscription -> subscription.receiver.opened())
                .toArray(CompletableFuture[]::new);
        return CompletableFuture.allOf(known)
                .thenCompose(all -> publisher.send(
                        events.stream().map(event -> new Published(event, name)).toList()))
                .thenRun(() -> listener.published(events.size()));
    }

    private record Published(CloudEvent event, HubName hub) implements JmsSender.Outgoing {
        @Override
        public Destination destination(Session session) throws JMSException {
            return session.createTopic(TOPIC);
        }

        @Override
        public Message message(Session session) throws JMSException {
            TextMessage message = session.createTextMessage(event.data());
            for (Map.Entry<String, String> attribute : event.attributes().entrySet()) {
                message.setStringProperty(JmsHeaders.CLOUD_EVENTS + attribute.getKey(), attribute.getValue());
            }
            for (Map.Entry<String, String> attribute : hub.attributes().entrySet()) {
                message.setStringProperty(JmsHeaders.CLOUD_EVENTS + attribute.getKey(), attribute.getValue());
            }
            message.setStringProperty(JmsHeaders.CLOUD_EVENTS + "datacontenttype", CloudEvent.CONTENT_TYPE);
            message.setStringProperty(
                    "JMSXGroupID", "g" + Math.floorMod(event.orderId().hashCode(), GROUPS));
            return message;
        }
    }

    @Override
    public Subscription subscribe(String subscriber, EventHandler handler) {
        return subscribe(subscriber, EventFilter.ALL, handler);
    }

    @Override
    public Subscription subscribe(String subscriber, EventFilter filter, EventHandler handler) {
        // The broker may still hold events that passed the filter of an earlier flow version; skip these here.
        JmsSubscription subscription = new JmsSubscription(subscriber, filter, filter.before(handler));
        subscriptions.add(subscription);
        subscription.receiver.start();
        return subscription;
    }

    @Override
    public Optional<String> unavailableReason() {
        return subscriptions.stream()
                .flatMap(each -> each.receiver.unavailableReason().stream())
                .findFirst()
                .or(publisher::unavailableReason)
                .or(broker::unavailableReason);
    }

    @Override
    public void unsubscribeAll() {
        // Signal all subscriptions first, so that all stop in parallel.
        subscriptions.forEach(subscription -> subscription.receiver.stopAccepting());
        subscriptions.forEach(JmsSubscription::close);
    }

    @Override
    public void close() {
        unsubscribeAll();
        publisher.close();
    }

    private final class JmsSubscription implements Subscription, JmsReceiver.Handler {
        private final ExecutorService executor;
        private final Delivery delivery;
        private final JmsReceiver receiver;

        JmsSubscription(String subscriber, EventFilter filter, EventHandler handler) {
            Optional<String> selector = JmsHeaders.selector(filter);
            String subscription = name.subscription(subscriber);
            this.executor = threads(subscriber);
            this.delivery = new Delivery(subscriber, handler, codec, retry, executor, deadLetters, listener, verifier);
            this.receiver = new JmsReceiver(
                    "events-" + subscriber,
                    broker,
                    MAX_IN_FLIGHT,
                    () -> true,
                    session -> open(session, subscription, selector.orElse(null)),
                    this);
            deadLetters.letters().replayedBy(Delivery.channel(subscriber), this::replay);
        }

        private JmsReceiver.Opened open(Session session, String subscription, String selector) throws JMSException {
            return new JmsReceiver.Opened(
                    subscribed(session, subscription, selector),
                    ActiveMQDestination.createQueueNameForSubscription(true, null, subscription)
                            .toString());
        }

        private MessageConsumer subscribed(Session session, String subscription, String selector) throws JMSException {
            // An earlier flow version may have used another filter. Artemis answers queue queries with the filter that
            // a queue was created with: a subscriber that returns to the first filter gets no OTHER_FILTER error.
            broker.refilter(subscription, selector);
            try {
                return session.createSharedDurableConsumer(session.createTopic(TOPIC), subscription, selector);
            } catch (JMSException e) {
                if (!String.valueOf(e.getMessage()).contains(OTHER_FILTER)) {
                    throw e;
                }
                LOG.atWarn()
                        .addKeyValue("subscriber", subscription)
                        .log("event filter of a subscriber changed; pending events dropped");
                session.unsubscribe(subscription);
                return session.createSharedDurableConsumer(session.createTopic(TOPIC), subscription, selector);
            }
        }

        @Override
        public CompletableFuture<Void> handle(ReceivedMessage message) {
            if (name.isOther(JmsHeaders.attributes(message.headers()))) {
                return CompletableFuture.completedFuture(null);
            }
            return message.fault().isPresent()
                    ? setAside(
                            message,
                            new IllegalArgumentException(message.fault().get()))
                    : delivery.deliver(TOPIC, incoming(message));
        }

        @Override
        public CompletableFuture<Void> setAside(ReceivedMessage message, Throwable failure) {
            return delivery.setAside(TOPIC, incoming(message), failure);
        }

        private static Delivery.Incoming incoming(ReceivedMessage message) {
            Optional<String> text = Utf8.text(message.body());
            boolean base64 = text.isEmpty() && message.body() != null;
            return new Delivery.Incoming(
                    message.idAndDigest(),
                    JmsHeaders.attributes(message.headers()),
                    message::headers,
                    base64 ? Base64.getEncoder().encodeToString(message.body()) : text.orElse(null),
                    base64);
        }

        private CompletableFuture<Void> replay(DeadLetter letter) {
            return delivery.redeliver(JmsHeaders.attributes(letter.headers()), letter.body());
        }

        @Override
        public void close() {
            subscriptions.remove(this);
            receiver.close();
            delivery.close();
            executor.shutdown();
        }
    }

    private static ExecutorService threads(String subscriber) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                THREADS_PER_SUBSCRIBER,
                THREADS_PER_SUBSCRIBER,
                30,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                work -> new Thread(work, "events-" + subscriber + "-" + number.incrementAndGet()));
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }

    /** The hub's list of dead letters, for the wiring of the hub. */
    public DeadLetters deadLetters() {
        return deadLetters.letters();
    }
}
