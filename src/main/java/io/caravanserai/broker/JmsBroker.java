package io.caravanserai.broker;

import io.caravanserai.config.HubSettings;
import io.caravanserai.support.OutageLog;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.ActiveMQExceptionType;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ActiveMQClient;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.apache.activemq.artemis.jms.client.ActiveMQSession;
import org.messaginghub.pooled.jms.JmsPoolConnectionFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The hub's JMS broker, embedded or external. Keeps one connection open to notice outages, and reconnects whenever that
 * connection breaks.
 */
public final class JmsBroker implements AutoCloseable {
    /** In bytes. Exceeds the largest order or event as text, at two bytes per character on the wire. */
    public static final long MAX_BODY_BYTES = 4L * 1024 * 1024;

    /** Every broker of the hub has this address; the content of the answer does not matter. */
    private static final SimpleString PROBE = SimpleString.of("orders");

    private static final Logger LOG = LoggerFactory.getLogger(JmsBroker.class);
    private static final long FIRST_PAUSE_MILLIS = 100;
    private static final Duration MAX_PAUSE = Duration.ofSeconds(2);
    /** A frozen broker keeps connections open and answers nothing, so the broker is probed at this interval. */
    private static final long PROBE_INTERVAL_MILLIS = 2_000;

    private static final long PROBE_TIMEOUT_MILLIS = 5_000;
    /** How long all other connections survive silence of an external broker. Artemis' default is a minute. */
    private static final long CONNECTION_TTL_MILLIS = 10_000;

    private static final long PING_INTERVAL_MILLIS = 2_500;
    private static final long FIRST_CHECK_TIMEOUT_MILLIS = 2_000;

    private final Optional<EmbeddedArtemis> embedded;
    private final ActiveMQConnectionFactory connections;
    private final ActiveMQConnectionFactory guarded;
    private final ActiveMQConnectionFactory aside;
    private final ActiveMQConnectionFactory watched;
    private final JmsPoolConnectionFactory pool;
    private final OutageLog outage = new OutageLog(LOG, "JMS broker");
    private final CountDownLatch firstCheck = new CountDownLatch(1);
    private final Thread watch = new Thread(this::watch, "jms-watch");
    private volatile String unavailableReason = "the JMS broker has not been reached yet";
    private volatile boolean closed;

    private JmsBroker(Optional<EmbeddedArtemis> embedded, Supplier<ActiveMQConnectionFactory> factories) {
        this.embedded = embedded;
        this.connections = factories.get();
        this.guarded = factories.get();
        this.aside = factories.get();
        this.watched = factories.get();
        watched.setCallTimeout(PROBE_TIMEOUT_MILLIS);
        connections.getServerLocator().addIncomingInterceptor(IncomingGuard.ofJmsMessages());
        guarded.getServerLocator().addIncomingInterceptor(IncomingGuard.ofCoreMessages());
        aside.getServerLocator().addIncomingInterceptor(IncomingGuard.ofCoreMessages());
        this.pool = new JmsPoolConnectionFactory();
        pool.setConnectionFactory(
                embedded.isPresent() ? connections : new ReachedConnections(connections, this::requireReached));
        pool.setMaxConnections(4);
        pool.setMaxSessionsPerConnection(200);
        pool.setUseAnonymousProducers(true);
        pool.setConnectionIdleTimeout(0);
    }

    /**
     * Starts the configured broker. An external broker may still be unavailable: see {@link #unavailableReason}.
     *
     * @param folder of an embedded broker's journal
     * @throws IllegalStateException if an embedded broker does not start
     */
    public static JmsBroker start(
            HubSettings.Jms settings, Path folder, List<HubSettings.ApiKey> keys, HubAddresses hubAddresses) {
        Optional<EmbeddedArtemis> embedded = settings.isEmbedded()
                ? Optional.of(EmbeddedArtemis.start(folder, settings.port(), keys, hubAddresses))
                : Optional.empty();
        JmsBroker broker = new JmsBroker(embedded, () -> connections(embedded, settings));
        broker.watch.setDaemon(true);
        broker.watch.start();
        return broker;
    }

    /** As {@link #start(HubSettings.Jms, Path, List, HubAddresses)}, for a hub of the default name. */
    public static JmsBroker start(HubSettings.Jms settings, Path folder, List<HubSettings.ApiKey> keys) {
        return start(settings, folder, keys, new HubAddresses("hub"));
    }

    private static ActiveMQConnectionFactory connections(Optional<EmbeddedArtemis> embedded, HubSettings.Jms settings) {
        ActiveMQConnectionFactory connections = embedded.map(EmbeddedArtemis::connections)
                .orElseGet(() -> new ActiveMQConnectionFactory(settings.url().orElseThrow()));
        // Java objects in messages are never read: reading one can run code of the sender's choice.
        connections.setDeserializationDenyList("*");
        // Each session of the hub commits after sending, and the commit waits for the disk.
        connections.setBlockOnDurableSend(false);
        // Otherwise each send queries the broker for the destination and waits for the answer.
        connections.setCacheDestinations(true);
        if (embedded.isEmpty()) {
            setConnectionTimeouts(connections);
        }
        return connections;
    }

    /** Applies unless the URL sets other values. */
    private static void setConnectionTimeouts(ActiveMQConnectionFactory connections) {
        if (connections.getConnectionTTL() == ActiveMQClient.DEFAULT_CONNECTION_TTL) {
            connections.setConnectionTTL(CONNECTION_TTL_MILLIS);
        }
        if (connections.getClientFailureCheckPeriod() == ActiveMQClient.DEFAULT_CLIENT_FAILURE_CHECK_PERIOD) {
            connections.setClientFailureCheckPeriod(PING_INTERVAL_MILLIS);
        }
    }

    /**
     * Fails at once while the external broker is known to be unavailable. Otherwise the caller's thread, and all
     * callers waiting behind, would block until the broker's client gives up.
     */
    private void requireReached() throws JMSException {
        if (embedded.isPresent()) {
            // An embedded broker cannot freeze without this process.
            return;
        }
        try {
            // At the start, the result of the first check is about to arrive.
            boolean checked = firstCheck.await(FIRST_CHECK_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
            String away = unavailableReason;
            if (checked && away != null) {
                throw new JMSException(away);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new JMSException("interrupted while waiting for the JMS broker");
        }
    }

    /** A new connection, not started. The caller must close the connection. */
    public Connection connect() throws JMSException {
        requireReached();
        return connections.createConnection();
    }

    /**
     * As {@link #connect}, for callers that reconnect often. If a broker dies during a connection attempt, Artemis'
     * client waits half a minute for an answer and blocks all other attempts over the same factory. Messages must be
     * received through Artemis' core API.
     */
    public Connection connectAside() throws JMSException {
        requireReached();
        return aside.createConnection();
    }

    /**
     * As {@link #connect}, for receiving messages from untrusted senders through Artemis' core API, which reads a body
     * only on request.
     */
    public Connection connectGuarded() throws JMSException {
        requireReached();
        return guarded.createConnection();
    }

    /** Pooled connections and sessions, for Camel. */
    public JmsPoolConnectionFactory pool() {
        return pool;
    }

    /**
     * Changes the filter of an embedded broker's queue for messages that arrive from now on; messages in the queue
     * stay. Does nothing if the queue does not exist, or if the broker is external: the hub may not change queues
     * there.
     *
     * @param filter null for all messages
     */
    public void refilter(String queue, String filter) {
        embedded.ifPresent(broker -> broker.refilter(queue, filter));
    }

    /**
     * Whether a reply may go to the address that a message names. With keys set, the sender must be allowed to receive
     * there. Always true for an external broker, which checks the permission.
     *
     * @param user the sender, as reported by the broker; null if unknown
     */
    public boolean mayBeAnswered(String user, String address) {
        return embedded.isEmpty() || embedded.get().mayBeAnswered(user, address);
    }

    /** The embedded broker; empty for an external one. */
    public Optional<EmbeddedArtemis> embedded() {
        return embedded;
    }

    /**
     * Messages that a consumer with none in flight could receive now: neither scheduled for later nor in flight at
     * other consumers.
     *
     * @param session of the consumer, started
     */
    public long deliverable(ClientSession session, SimpleString queue) throws ActiveMQException {
        return embedded.isPresent()
                ? embedded.get().deliverable(queue.toString())
                : WaitingMessages.count(session, queue);
    }

    /**
     * Restarts the embedded broker because one of the queues delivers nothing, even to a new connection. Does nothing
     * if an operator has paused the queue, if the broker is external, and within ten minutes of an earlier restart.
     */
    public void restartForStalled(SimpleString queue, String reason) {
        embedded.filter(broker -> !broker.isPaused(queue.toString())).ifPresent(broker -> broker.restart(reason));
    }

    /**
     * Makes an external broker give up the first message of a queue, which the broker cannot deliver and keeps without
     * limit. Needs the right to {@code manage}; without it nothing happens.
     */
    public void giveUpFirst(SimpleString queue) {
        if (embedded.isPresent()) {
            return;
        }
        try (Connection connection = connectAside();
                Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE)) {
            connection.start();
            UndeliverableMessage.giveUpFirst(session, queue.toString());
        } catch (JMSException | RuntimeException e) {
            LOG.atDebug().addKeyValue("queue", queue).setCause(e).log("first message of the queue not given up");
        }
    }

    /** Why the broker is unavailable; empty while the broker is available. */
    public Optional<String> unavailableReason() {
        return embedded.flatMap(EmbeddedArtemis::outage).or(() -> Optional.ofNullable(unavailableReason));
    }

    private void watch() {
        long pause = FIRST_PAUSE_MILLIS;
        while (!closed) {
            try (Connection connection = watched.createConnection()) {
                CountDownLatch broken = new CountDownLatch(1);
                connection.setExceptionListener(e -> broken.countDown());
                connection.start();
                unavailableReason = null;
                firstCheck.countDown();
                outage.worked();
                pause = FIRST_PAUSE_MILLIS;
                if (embedded.isEmpty()) {
                    warnOfSettings(connection);
                }
                markUnavailable(awaitFailure(connection, broken));
                // On another thread, because closing a connection waits for a broker that may be frozen.
                new Thread(pool::clear, "jms-pool-clear").start();
            } catch (JMSException e) {
                markUnavailable(e.getMessage());
            } catch (InterruptedException e) {
                return;
            }
            try {
                TimeUnit.MILLISECONDS.sleep(pause);
            } catch (InterruptedException e) {
                return;
            }
            pause = Math.min(2 * pause, MAX_PAUSE.toMillis());
        }
    }

    private void markUnavailable(String why) {
        if (closed) {
            return;
        }
        unavailableReason = "the JMS broker (hub.jms.url) cannot be reached: " + why;
        firstCheck.countDown();
        outage.failed(why + "; reconnecting to the broker (hub.jms.url), messages wait until then");
    }

    /** Returns the reason when the connection breaks or the broker no longer answers. */
    private String awaitFailure(Connection connection, CountDownLatch broken)
            throws JMSException, InterruptedException {
        String broke = "the connection to the JMS broker broke";
        if (embedded.isPresent()) {
            broken.await();
            return broke;
        }
        try (Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE)) {
            while (!broken.await(PROBE_INTERVAL_MILLIS, TimeUnit.MILLISECONDS)) {
                if (!answers(session)) {
                    // Reported before the session is closed, because closing waits for an answer as well.
                    String silent = "no answer within " + PROBE_TIMEOUT_MILLIS / 1_000 + " s";
                    markUnavailable(silent);
                    return silent;
                }
            }
        }
        return broke;
    }

    /** A refusal counts as an answer. */
    private static boolean answers(Session session) {
        if (!(session instanceof ActiveMQSession artemis)) {
            return true;
        }
        try {
            artemis.getCoreSession().addressQuery(PROBE);
            return true;
        } catch (ActiveMQException e) {
            return e.getType() != ActiveMQExceptionType.CONNECTION_TIMEDOUT;
        }
    }

    /** Never fails: the broker may give no answer, or an unknown one. */
    private static void warnOfSettings(Connection connection) {
        try {
            for (String fault : OutsideSettings.faults(connection, List.of("orders", "order-events"))) {
                LOG.atWarn().addKeyValue("error", fault).log("settings of the JMS broker endanger messages of the hub");
            }
        } catch (JMSException | RuntimeException e) {
            LOG.atDebug().setCause(e).log("cannot read the address settings of the JMS broker; settings not checked");
        }
    }

    @Override
    public void close() {
        closed = true;
        watch.interrupt();
        outage.forget();
        watched.close();
        pool.stop();
        connections.close();
        guarded.close();
        aside.close();
        embedded.ifPresent(EmbeddedArtemis::close);
    }
}
