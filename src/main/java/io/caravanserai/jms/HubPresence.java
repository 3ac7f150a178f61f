package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.bus.HubName;
import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import jakarta.jms.Topic;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices hubs with a store of their own that go by the same name on one broker: they would take each other's messages.
 * Each hub says now and then, on a topic of its name, that its store is there; one that hears of another store answers at
 * once. Nothing of it is kept at the broker. Thread-safe.
 */
public final class HubPresence implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HubPresence.class);
    private static final Duration BEAT = Duration.ofSeconds(5);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    /** A hub that was not heard for three beats is gone. */
    private static final Duration GONE = BEAT.multipliedBy(3);

    private static final int LONGEST_ID = 100;
    private static final int MOST_OTHERS = 100;

    private final JmsBroker broker;
    private final HubName name;
    private final String storeId;
    private final Map<String, Long> others = new ConcurrentHashMap<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread = new Thread(this::run, "jms-presence");
    private boolean told;

    /** @param storeId no two stores have the same */
    public HubPresence(JmsBroker broker, HubName name, String storeId) {
        this.broker = broker;
        this.name = name;
        this.storeId = storeId;
        thread.setDaemon(true);
    }

    public HubPresence start() {
        thread.start();
        return this;
    }

    /** That another hub with a store of its own goes by this name at present; empty while none does. */
    public Optional<String> unavailableReason() {
        long now = System.nanoTime();
        others.values().removeIf(heard -> now - heard > GONE.toNanos());
        return others.isEmpty() ? Optional.empty() : Optional.of(name.conflict("JMS broker"));
    }

    private void run() {
        while (closed.getCount() > 0) {
            try {
                if (broker.unavailableReason().isEmpty()) {
                    watch();
                }
            } catch (JMSException | RuntimeException e) {
                // A broker that permits no such topic; or a message that is none, which went with the connection.
                LOG.debug("hubs of the same name cannot be looked for at present", e);
            }
            try {
                closed.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void watch() throws JMSException {
        try (Connection connection = broker.connectAside();
                Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE)) {
            Topic topic = session.createTopic(name.subscription("presence"));
            try (MessageConsumer consumer = session.createConsumer(topic);
                    MessageProducer producer = session.createProducer(topic)) {
                producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
                producer.setTimeToLive(GONE.toMillis());
                connection.start();
                long nextBeat = System.nanoTime();
                while (closed.getCount() > 0) {
                    if (System.nanoTime() - nextBeat >= 0) {
                        producer.send(session.createTextMessage(storeId));
                        nextBeat = System.nanoTime() + BEAT.toNanos();
                    }
                    Message message = consumer.receive(PAUSE.toMillis());
                    if (message instanceof TextMessage text && isNew(text.getText())) {
                        nextBeat = System.nanoTime();
                    }
                    tellOnce();
                }
            }
        }
    }

    private boolean isNew(String other) {
        if (other == null || other.isEmpty() || other.length() > LONGEST_ID || other.equals(storeId)) {
            return false;
        }
        if (others.size() >= MOST_OTHERS && !others.containsKey(other)) {
            return false;
        }
        return others.put(other, System.nanoTime()) == null;
    }

    private void tellOnce() {
        Optional<String> trouble = unavailableReason();
        if (trouble.isPresent() && !told) {
            LOG.atWarn().addKeyValue("name", name.value()).log(trouble.get());
        } else if (trouble.isEmpty() && told) {
            LOG.atInfo().addKeyValue("name", name.value()).log("no other hub goes by this hub's name any more");
        }
        told = trouble.isPresent();
    }

    @Override
    public void close() {
        closed.countDown();
        thread.interrupt();
    }
}
