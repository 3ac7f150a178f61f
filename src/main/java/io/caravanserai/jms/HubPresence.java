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
 * Detects another hub with the same name and a separate store on one broker: both hubs would take each other's
 * messages. Each hub publishes a store id at intervals, on a topic with the hub's name. A hub that receives a new store
 * id publishes at once. The broker stores none of these messages. Thread-safe.
 */
public final class HubPresence implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HubPresence.class);
    private static final Duration BEAT = Duration.ofSeconds(5);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    /** A hub is gone after three missed beats. */
    private static final Duration GONE = BEAT.multipliedBy(3);

    private static final int MAX_ID_LENGTH = 100;
    private static final int MAX_OTHERS = 100;

    private final JmsBroker broker;
    private final HubName name;
    private final String storeId;
    private final Map<String, Long> others = new ConcurrentHashMap<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread = new Thread(this::run, "jms-presence");
    private boolean conflictLogged;

    /** @param storeId unique for each store */
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

    /** The conflict with another hub of the same name and a separate store; empty without a conflict. */
    public Optional<String> unavailableReason() {
        long now = System.nanoTime();
        others.values().removeIf(lastSeen -> now - lastSeen > GONE.toNanos());
        return others.isEmpty() ? Optional.empty() : Optional.of(name.conflict("JMS broker"));
    }

    private void run() {
        while (closed.getCount() > 0) {
            try {
                if (broker.unavailableReason().isEmpty()) {
                    watch();
                }
            } catch (JMSException | RuntimeException e) {
                // The broker may refuse the topic, or a message may be unreadable, which has closed the connection.
                LOG.debug("cannot detect hubs of the same name; will retry", e);
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
                    logChange();
                }
            }
        }
    }

    private boolean isNew(String other) {
        if (other == null || other.isEmpty() || other.length() > MAX_ID_LENGTH || other.equals(storeId)) {
            return false;
        }
        if (others.size() >= MAX_OTHERS && !others.containsKey(other)) {
            return false;
        }
        return others.put(other, System.nanoTime()) == null;
    }

    private void logChange() {
        Optional<String> conflict = unavailableReason();
        if (conflict.isPresent() && !conflictLogged) {
            LOG.atWarn().addKeyValue("name", name.value()).log(conflict.get());
        } else if (conflict.isEmpty() && conflictLogged) {
            LOG.atInfo().addKeyValue("name", name.value()).log("no other hub uses this hub's name any more");
        }
        conflictLogged = conflict.isPresent();
    }

    @Override
    public void close() {
        closed.countDown();
        thread.interrupt();
    }
}
