package io.caravanserai.broker;

import io.caravanserai.HubSettings;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.messaginghub.pooled.jms.JmsPoolConnectionFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The JMS broker the hub works with: one in its own process, or one outside. Knows whether it can be reached: a
 * connection of its own is kept open, and made again whenever it breaks.
 */
public final class JmsBroker implements AutoCloseable {
    /** Bytes, more than the largest order or event takes as text, whose characters take two each on the wire. */
    public static final long LARGEST_BODY = 4L * 1024 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(JmsBroker.class);
    private static final long FIRST_PAUSE_MILLIS = 100;
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

    private final Optional<EmbeddedArtemis> embedded;
    private final ActiveMQConnectionFactory connections;
    private final ActiveMQConnectionFactory guarded;
    private final ActiveMQConnectionFactory aside;
    private final JmsPoolConnectionFactory pool;
    private final Thread watch = new Thread(this::watch, "jms-watch");
    private volatile String trouble = "the JMS broker has not been reached yet";
    private volatile boolean closed;

    private JmsBroker(Optional<EmbeddedArtemis> embedded, Supplier<ActiveMQConnectionFactory> factories) {
        this.embedded = embedded;
        this.connections = factories.get();
        this.guarded = factories.get();
        this.aside = factories.get();
        guarded.getServerLocator().addIncomingInterceptor(new BodyGuard());
        this.pool = new JmsPoolConnectionFactory();
        pool.setConnectionFactory(connections);
        pool.setMaxConnections(4);
        pool.setMaxSessionsPerConnection(200);
        pool.setUseAnonymousProducers(true);
        pool.setConnectionIdleTimeout(0);
    }

    /**
     * Starts the broker of the settings. One outside need not be there yet: {@link #trouble} tells.
     *
     * @param folder of an embedded broker's journal
     * @throws IllegalStateException when an embedded one does not start
     */
    public static JmsBroker start(HubSettings.Jms settings, Path folder, List<HubSettings.ApiKey> keys) {
        Optional<EmbeddedArtemis> embedded = settings.isEmbedded()
                ? Optional.of(EmbeddedArtemis.start(folder, settings.port(), keys))
                : Optional.empty();
        JmsBroker broker = new JmsBroker(embedded, () -> connections(embedded, settings));
        broker.watch.setDaemon(true);
        broker.watch.start();
        return broker;
    }

    private static ActiveMQConnectionFactory connections(Optional<EmbeddedArtemis> embedded, HubSettings.Jms settings) {
        ActiveMQConnectionFactory connections = embedded.map(EmbeddedArtemis::connections)
                .orElseGet(() -> new ActiveMQConnectionFactory(settings.url().orElseThrow()));
        // Java objects in messages are never read: reading one can run code of the sender's choice.
        connections.setDeserializationDenyList("*");
        // Each session of the hub commits what it sends; that waits for the disk.
        connections.setBlockOnDurableSend(false);
        // Else the broker is asked for the destination before each message, and waited for.
        connections.setCacheDestinations(true);
        return connections;
    }

    /** A connection of its own, not started; to be closed by the caller. */
    public Connection connect() throws JMSException {
        return connections.createConnection();
    }

    /**
     * As {@link #connect}, for those who connect again and again. A broker that goes while a connection is made holds up,
     * for half a minute, all who connect in the same way: Artemis' client waits for its answer, and lets nobody pass.
     */
    public Connection connectAside() throws JMSException {
        return aside.createConnection();
    }

    /**
     * As {@link #connect}, for receiving what anybody may have sent: a text that cannot be read, or is far larger than
     * any order or event, comes as a message of bytes, and the body of other kinds of messages is not there.
     */
    public Connection connectGuarded() throws JMSException {
        return guarded.createConnection();
    }

    /** Connections and sessions shared, for Camel. */
    public JmsPoolConnectionFactory pool() {
        return pool;
    }

    /**
     * Changes which messages a queue of the embedded broker takes from now on; those in it stay. Does nothing when there
     * is no such queue, or when the broker is outside, where the hub has no such rights.
     *
     * @param filter null for all
     */
    public void refilter(String queue, String filter) {
        embedded.ifPresent(broker -> broker.refilter(queue, filter));
    }

    /**
     * Whether an answer may go where a message asks for it: with keys set, only to where its sender may receive. A broker
     * outside sees to that itself.
     *
     * @param user who sent the message, as the broker says; null when it does not
     */
    public boolean mayBeAnswered(String user, String address) {
        return embedded.isEmpty() || embedded.get().mayBeAnswered(user, address);
    }

    /** The broker in this process; empty when it is outside. */
    public Optional<EmbeddedArtemis> embedded() {
        return embedded;
    }

    /** Why the broker cannot be used at present; empty while it can. */
    public Optional<String> trouble() {
        return Optional.ofNullable(trouble);
    }

    private void watch() {
        long pause = FIRST_PAUSE_MILLIS;
        while (!closed) {
            CountDownLatch broken = new CountDownLatch(1);
            try (Connection connection = connections.createConnection()) {
                connection.setExceptionListener(e -> broken.countDown());
                connection.start();
                trouble = null;
                LOG.info("JMS broker reached");
                pause = FIRST_PAUSE_MILLIS;
                if (embedded.isEmpty()) {
                    warnOfSettings(connection);
                }
                broken.await();
                trouble = "the connection to the JMS broker broke";
                LOG.warn("connection to the JMS broker broke; trying to reach it again");
                pool.clear();
            } catch (JMSException e) {
                trouble = "the JMS broker (hub.jms.url) cannot be reached: " + e.getMessage();
                if (pause == FIRST_PAUSE_MILLIS) {
                    LOG.atWarn().addKeyValue("error", e.getMessage()).log("JMS broker cannot be reached; trying on");
                }
            } catch (InterruptedException e) {
                return;
            }
            try {
                TimeUnit.MILLISECONDS.sleep(pause);
            } catch (InterruptedException e) {
                return;
            }
            pause = Math.min(2 * pause, LONGEST_PAUSE.toMillis());
        }
    }

    /** Never in the way of the hub: a broker may not answer, or in a way that is not known here. */
    private static void warnOfSettings(Connection connection) {
        try {
            for (String fault : OutsideSettings.faults(connection, List.of("orders", "order-events"))) {
                LOG.atWarn().addKeyValue("error", fault).log("settings of the JMS broker endanger messages of the hub");
            }
        } catch (JMSException | RuntimeException e) {
            LOG.atDebug().setCause(e).log("the JMS broker does not tell its settings");
        }
    }

    @Override
    public void close() {
        closed = true;
        watch.interrupt();
        pool.stop();
        connections.close();
        guarded.close();
        aside.close();
        embedded.ifPresent(EmbeddedArtemis::close);
    }
}
