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
 * The JMS broker the hub works with: one in its own process, or one outside. Knows whether it can be reached: a
 * connection of its own is kept open, and made again whenever it breaks.
 */
public final class JmsBroker implements AutoCloseable {
    /** Bytes, more than the largest order or event takes as text, whose characters take two each on the wire. */
    public static final long LARGEST_BODY = 4L * 1024 * 1024;

    /** Every broker of the hub has it; what the answer says does not matter. */
    private static final SimpleString PROBE = SimpleString.of("orders");

    private static final Logger LOG = LoggerFactory.getLogger(JmsBroker.class);
    private static final long FIRST_PAUSE_MILLIS = 100;
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);
    /** A frozen broker keeps its connections and answers nothing: it is asked this often, and given this long. */
    private static final long ASKED_EVERY_MILLIS = 2_000;

    private static final long ANSWERS_WITHIN_MILLIS = 5_000;
    /** What the connections of all others survive without a word from an outside broker. Artemis' default is a minute. */
    private static final long SILENCE_MILLIS = 10_000;

    private static final long PING_MILLIS = 2_500;
    private static final long FIRST_LOOK_MILLIS = 2_000;

    private final Optional<EmbeddedArtemis> embedded;
    private final ActiveMQConnectionFactory connections;
    private final ActiveMQConnectionFactory guarded;
    private final ActiveMQConnectionFactory aside;
    private final ActiveMQConnectionFactory watched;
    private final JmsPoolConnectionFactory pool;
    private final OutageLog outage = new OutageLog(LOG, "JMS broker");
    private final CountDownLatch firstLook = new CountDownLatch(1);
    private final Thread watch = new Thread(this::watch, "jms-watch");
    private volatile String trouble = "the JMS broker has not been reached yet";
    private volatile boolean closed;

    private JmsBroker(Optional<EmbeddedArtemis> embedded, Supplier<ActiveMQConnectionFactory> factories) {
        this.embedded = embedded;
        this.connections = factories.get();
        this.guarded = factories.get();
        this.aside = factories.get();
        this.watched = factories.get();
        watched.setCallTimeout(ANSWERS_WITHIN_MILLIS);
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
     * Starts the broker of the settings. One outside need not be there yet: {@link #unavailableReason} tells.
     *
     * @param folder of an embedded broker's journal
     * @throws IllegalStateException when an embedded one does not start
     */
    public static JmsBroker start(
            HubSettings.Jms settings, Path folder, List<HubSettings.ApiKey> keys, HubAddresses ofTheHub) {
        Optional<EmbeddedArtemis> embedded = settings.isEmbedded()
                ? Optional.of(EmbeddedArtemis.start(folder, settings.port(), keys, ofTheHub))
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
        // Each session of the hub commits what it sends; that waits for the disk.
        connections.setBlockOnDurableSend(false);
        // Else the broker is asked for the destination before each message, and waited for.
        connections.setCacheDestinations(true);
        if (embedded.isEmpty()) {
            noticeSilence(connections);
        }
        return connections;
    }

    /** Unless the URL says otherwise. */
    private static void noticeSilence(ActiveMQConnectionFactory connections) {
        if (connections.getConnectionTTL() == ActiveMQClient.DEFAULT_CONNECTION_TTL) {
            connections.setConnectionTTL(SILENCE_MILLIS);
        }
        if (connections.getClientFailureCheckPeriod() == ActiveMQClient.DEFAULT_CLIENT_FAILURE_CHECK_PERIOD) {
            connections.setClientFailureCheckPeriod(PING_MILLIS);
        }
    }

    /**
     * Fails at once while the broker outside is known to be away: to find that out again would hold a thread, and all who
     * connect behind it, until the broker's client gives up.
     */
    private void requireReached() throws JMSException {
        if (embedded.isPresent()) {
            // It cannot freeze without this process.
            return;
        }
        try {
            // At the start, the first look is about to say.
            boolean looked = firstLook.await(FIRST_LOOK_MILLIS, TimeUnit.MILLISECONDS);
            String away = trouble;
            if (looked && away != null) {
                throw new JMSException(away);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new JMSException("interrupted while waiting for the JMS broker");
        }
    }

    /** A connection of its own, not started; to be closed by the caller. */
    public Connection connect() throws JMSException {
        requireReached();
        return connections.createConnection();
    }

    /**
     * As {@link #connect}, for those who connect again and again. A broker that goes while a connection is made holds up,
     * for half a minute, all who connect in the same way: Artemis' client waits for its answer, and lets nobody pass.
     * Messages are to be received by Artemis' own interface.
     */
    public Connection connectAside() throws JMSException {
        requireReached();
        return aside.createConnection();
    }

    /**
     * As {@link #connect}, for receiving what anybody may have sent by Artemis' own interface, which reads no body before
     * it is asked for.
     */
    public Connection connectGuarded() throws JMSException {
        requireReached();
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

    /**
     * Messages of a queue that could be delivered now to a consumer that has none in its hands: neither scheduled for
     * later nor in the hands of others.
     *
     * @param session of the consumer, started
     */
    public long deliverable(ClientSession session, SimpleString queue) throws ActiveMQException {
        return embedded.isPresent()
                ? embedded.get().deliverable(queue.toString())
                : WaitingMessages.count(session, queue);
    }

    /**
     * Starts the embedded broker again because one of its queues delivers nothing, also to a new connection. Does nothing
     * when an operator has paused the queue, when the broker is outside, and within ten minutes of an earlier restart.
     */
    public void restartForStalled(SimpleString queue, String reason) {
        embedded.filter(broker -> !broker.isPaused(queue.toString())).ifPresent(broker -> broker.restart(reason));
    }

    /** Why the broker cannot be used at present; empty while it can. */
    public Optional<String> unavailableReason() {
        return embedded.flatMap(EmbeddedArtemis::outage).or(() -> Optional.ofNullable(trouble));
    }

    private void watch() {
        long pause = FIRST_PAUSE_MILLIS;
        while (!closed) {
            try (Connection connection = watched.createConnection()) {
                CountDownLatch broken = new CountDownLatch(1);
                connection.setExceptionListener(e -> broken.countDown());
                connection.start();
                trouble = null;
                firstLook.countDown();
                outage.worked();
                pause = FIRST_PAUSE_MILLIS;
                if (embedded.isEmpty()) {
                    warnOfSettings(connection);
                }
                away(awaitTrouble(connection, broken));
                // Beside this: to close a connection is to wait for a broker that may be frozen.
                new Thread(pool::clear, "jms-pool-clear").start();
            } catch (JMSException e) {
                away(e.getMessage());
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

    private void away(String why) {
        if (closed) {
            return;
        }
        trouble = "the JMS broker (hub.jms.url) cannot be reached: " + why;
        firstLook.countDown();
        outage.failed(why + "; what needs the broker waits, and the hub goes on trying to reach it (hub.jms.url)");
    }

    /** Returns what is wrong when the connection breaks or the broker no longer answers. */
    private String awaitTrouble(Connection connection, CountDownLatch broken)
            throws JMSException, InterruptedException {
        String broke = "the connection to the JMS broker broke";
        if (embedded.isPresent()) {
            broken.await();
            return broke;
        }
        try (Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE)) {
            while (!broken.await(ASKED_EVERY_MILLIS, TimeUnit.MILLISECONDS)) {
                if (!answers(session)) {
                    // Told before the session is closed, which waits for an answer as well.
                    String silent = "no answer within " + ANSWERS_WITHIN_MILLIS / 1_000 + " s";
                    away(silent);
                    return silent;
                }
            }
        }
        return broke;
    }

    /** A refusal is an answer. */
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
        outage.forget();
        watched.close();
        pool.stop();
        connections.close();
        guarded.close();
        aside.close();
        embedded.ifPresent(EmbeddedArtemis::close);
    }
}
