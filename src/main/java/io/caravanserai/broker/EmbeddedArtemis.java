package io.caravanserai.broker;

import io.caravanserai.config.HubSettings;
import io.caravanserai.support.PrivateFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.apache.activemq.artemis.api.core.QueueConfiguration;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.TransportConfiguration;
import org.apache.activemq.artemis.core.config.Configuration;
import org.apache.activemq.artemis.core.config.CoreAddressConfiguration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.postoffice.impl.LocalQueueBinding;
import org.apache.activemq.artemis.core.remoting.impl.invm.InVMAcceptorFactory;
import org.apache.activemq.artemis.core.remoting.impl.netty.NettyAcceptorFactory;
import org.apache.activemq.artemis.core.remoting.impl.netty.TransportConstants;
import org.apache.activemq.artemis.core.server.ActiveMQServer;
import org.apache.activemq.artemis.core.server.JournalType;
import org.apache.activemq.artemis.core.server.Queue;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.settings.impl.AddressFullMessagePolicy;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An Artemis broker in the hub's process. The journal lies beside the database. Other programs connect over TCP on the
 * loopback address; the hub connects within the process.
 */
public final class EmbeddedArtemis implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedArtemis.class);
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    /**
     * The journal is written after this time, or when the buffer is full. Artemis' default of 3.33 ms suits spinning
     * disks: each small commit would wait that long, while the disk answers in a tenth of a millisecond.
     */
    private static final int JOURNAL_BUFFER_TIMEOUT_NANOS = 200_000;

    /** Artemis' default is 30. Most of these would wake for short work that a running thread could do. */
    private static final int THREADS = 10;

    private static final long MEMORY_FOR_MESSAGES = 96L * 1024 * 1024;

    private static final long STOP_SECONDS = 60;

    private final Path folder;
    private final List<HubSettings.ApiKey> keys;
    private final int number = NUMBERS.getAndIncrement();
    private final BrokerPermissions permissions;
    private final BrokerLogins logins;
    private final BrokerRestarts restarts;
    private int port;
    private volatile EmbeddedActiveMQ server;

    private EmbeddedArtemis(Path folder, int port, List<HubSettings.ApiKey> keys, HubAddresses hubAddresses) {
        this.folder = folder;
        this.port = port;
        this.keys = keys;
        this.permissions = new BrokerPermissions(keys, hubAddresses, this::exists);
        this.logins = new BrokerLogins(keys, permissions);
        this.restarts = new BrokerRestarts("embedded JMS broker", folder, new BrokerRestarts.Part() {
            @Override
            public void stop() throws Exception {
                stopFailed();
            }

            @Override
            public void start() {
                launch();
            }
        });
    }

    /**
     * Starts a broker and waits until clients can connect. A broker that stops because of a full or failing disk is
     * restarted once the disk works; {@link #outage} reports the state.
     *
     * @param folder of the journal
     * @param port 0 selects a free port
     * @param keys the permitted logins; if empty, every program that reaches the loopback address is let in
     * @param hubAddresses addresses closed to all keys except an operator's
     * @throws IllegalStateException if the broker does not start; the message says why
     */
    public static EmbeddedArtemis start(
            Path folder, int port, List<HubSettings.ApiKey> keys, HubAddresses hubAddresses) {
        EmbeddedArtemis broker = new EmbeddedArtemis(folder, port, keys, hubAddresses);
        try {
            broker.restarts.prepare();
        } catch (IOException e) {
            throw new IllegalStateException(
                    "cannot copy the files of the embedded JMS broker in " + folder
                            + " (hub.data.dir) after an I/O error: " + e.getMessage(),
                    e);
        }
        broker.launch();
        return broker;
    }

    /** As {@link #start(Path, int, List, HubAddresses)}, for a hub of the default name. */
    public static EmbeddedArtemis start(Path folder, int port, List<HubSettings.ApiKey> keys) {
        return start(folder, port, keys, new HubAddresses("hub"));
    }

    private void launch() {
        EmbeddedActiveMQ starting = new EmbeddedActiveMQ();
        server = starting;
        try {
            PrivateFiles.createFolder(folder);
            Configuration configuration = configuration(folder, port, number, !keys.isEmpty());
            configuration.registerBrokerPlugin(new BrokerConnections(permissions));
            starting.setConfiguration(configuration);
            starting.setSecurityManager(logins);
            starting.createActiveMQServer();
            starting.getActiveMQServer()
                    .registerIOCriticalErrorListener((failure, message, file) -> restarts.failed(failure, message));
            starting.start();
            if (!starting.getActiveMQServer().waitForActivation(30, TimeUnit.SECONDS)
                    || !starting.getActiveMQServer().isActive()) {
                throw new IllegalStateException("the broker did not become active; the log lines above say why");
            }
            // A restart must listen on the same port.
            port = port();
        } catch (Exception e) {
            stop(starting);
            throw new IllegalStateException(
                    "cannot start the embedded JMS broker on port " + port + " (hub.jms.port) with the journal in "
                            + folder + " (hub.data.dir): " + e.getMessage(),
                    e);
        }
    }

    /** A broker with a critical I/O error stops on another thread. The next broker may start only after that. */
    private void stopFailed() throws Exception {
        ActiveMQServer failed = artemis();
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(STOP_SECONDS);
        server.stop();
        while (failed.getState() != ActiveMQServer.SERVER_STATE.STOPPED) {
            if (System.nanoTime() > until) {
                throw new IllegalStateException("the broker did not stop within " + STOP_SECONDS + " s");
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    /** The current server, started or not. */
    ActiveMQServer artemis() {
        return server.getActiveMQServer();
    }

    /** Why the broker is down; empty while the broker runs. */
    Optional<String> outage() {
        return restarts.outage();
    }

    /** The server; empty during a restart. */
    private Optional<ActiveMQServer> running() {
        ActiveMQServer artemis = server.getActiveMQServer();
        return artemis.getState() == ActiveMQServer.SERVER_STATE.STARTED ? Optional.of(artemis) : Optional.empty();
    }

    private Optional<Queue> queueOf(String name) {
        return running().map(artemis -> artemis.locateQueue(name));
    }

    private static Configuration configuration(Path folder, int port, int number, boolean secured) throws Exception {
        Configuration configuration = new ConfigurationImpl()
                .setName("caravanserai")
                .setPersistenceEnabled(true)
                .setThreadPoolMaxSize(THREADS)
                .setJournalType(JournalType.NIO)
                .setJournalDirectory(folder.resolve("journal").toString())
                .setBindingsDirectory(folder.resolve("bindings").toString())
                .setLargeMessagesDirectory(folder.resolve("large-messages").toString())
                .setPagingDirectory(folder.resolve("paging").toString())
                .setJournalBufferTimeout_NIO(JOURNAL_BUFFER_TIMEOUT_NANOS)
                .setJournalMinFiles(2)
                .setJournalPoolFiles(8)
                .setSecurityEnabled(secured)
                // A decision holds for one connection only, so nothing may be cached.
                .setAuthenticationCacheSize(0)
                .setAuthorizationCacheSize(0)
                // The broker writes the authenticated sender into each message, over any value from the sender.
                .setPopulateValidatedUser(secured)
                // The cluster login may do everything, and Artemis' default password for that login is public.
                .setClusterUser(BrokerLogins.secret())
                .setClusterPassword(BrokerLogins.secret())
                .setIncomingInterceptorClassNames(List.of(CorePacketGuard.class.getName()))
                .setJMXManagementEnabled(false)
                .setGlobalMaxSize(MEMORY_FOR_MESSAGES)
                // The hub watches the disk. At this limit, the broker would stop accepting messages without an error.
                .setMaxDiskUsage(-1)
                .setCriticalAnalyzer(false)
                .setGracefulShutdownEnabled(false)
                // Not as URLs: parsing a URL costs a tenth of a second at the start.
                .addAcceptorConfiguration(new TransportConfiguration(
                        NettyAcceptorFactory.class.getName(),
                        Map.of(
                                TransportConstants.HOST_PROP_NAME,
                                "127.0.0.1",
                                TransportConstants.PORT_PROP_NAME,
                                port,
                                TransportConstants.PROTOCOLS_PROP_NAME,
                                "CORE"),
                        "tcp"))
                .addAcceptorConfiguration(
                        new TransportConfiguration(InVMAcceptorFactory.class.getName(), inProcess(number), "hub"));
        configuration.addAddressSetting("#", defaultSettings());
        for (String own : List.of("orders", "order-events")) {
            configuration.addAddressSetting(own, hubRetriedSettings());
        }
        // Multicast as well: the hub's shared subscription receives orders published over MQTT. Without this routing
        // type, Artemis warns at each start that the address cannot lose the routing type of that subscription.
        configuration.addAddressConfiguration(queue("orders").addRoutingType(RoutingType.MULTICAST));
        configuration.addAddressConfiguration(queue("signals"));
        configuration.addAddressConfiguration(queue("DLQ"));
        configuration.addAddressConfiguration(
                new CoreAddressConfiguration().setName("order-events").addRoutingType(RoutingType.MULTICAST));
        return configuration;
    }

    private boolean exists(String name) {
        ActiveMQServer artemis = server.getActiveMQServer();
        return artemis.locateQueue(name) != null || artemis.getAddressInfo(SimpleString.of(name)) != null;
    }

    private static CoreAddressConfiguration queue(String name) {
        return new CoreAddressConfiguration()
                .setName(name)
                .addRoutingType(RoutingType.ANYCAST)
                .addQueueConfiguration(QueueConfiguration.of(name).setRoutingType(RoutingType.ANYCAST));
    }

    private static AddressSettings defaultSettings() {
        return new AddressSettings()
                .setDeadLetterAddress(SimpleString.of("DLQ"))
                // Expired messages are kept as well.
                .setExpiryAddress(SimpleString.of("DLQ"))
                .setMaxDeliveryAttempts(6)
                .setRedeliveryDelay(200)
                .setRedeliveryMultiplier(2)
                .setMaxRedeliveryDelay(10_000)
                .setAutoCreateAddresses(true)
                .setAutoCreateQueues(true)
                .setAutoDeleteQueues(false)
                .setAutoDeleteAddresses(false)
                .setAddressFullMessagePolicy(AddressFullMessagePolicy.PAGE)
                .setDefaultGroupRebalance(true)
                .setDefaultGroupRebalancePauseDispatch(true);
    }

    /**
     * The hub retries these messages without holding up others. Lost connections must never turn one into a dead
     * letter.
     */
    private static AddressSettings hubRetriedSettings() {
        return defaultSettings().setMaxDeliveryAttempts(-1).setRedeliveryDelay(0);
    }

    /**
     * Whether a reply may go to the address that a message names.
     *
     * @param user the sender; null when no keys are set
     */
    boolean mayBeAnswered(String user, String address) {
        return keys.isEmpty() || logins.mayBeAnswered(user, address);
    }

    /** The TCP port for other programs. */
    public int port() {
        if (port != 0) {
            return port;
        }
        return artemis().getRemotingService().getAcceptor("tcp").getActualPort();
    }

    /** A factory for the hub's connections. */
    ActiveMQConnectionFactory connections() {
        ActiveMQConnectionFactory connections = new ActiveMQConnectionFactory(
                false, new TransportConfiguration(InProcessConnectorFactory.class.getName(), inProcess(number), "hub"));
        // Otherwise later connections would use the broker's topology instead of these settings.
        connections.setUseTopologyForLoadBalancing(false);
        connections.setUser(BrokerLogins.HUB);
        connections.setPassword(logins.hubPassword());
        return connections;
    }

    private static Map<String, Object> inProcess(int number) {
        return Map.of(
                org.apache.activemq.artemis.core.remoting.impl.invm.TransportConstants.SERVER_ID_PROP_NAME, number);
    }

    /** Deletes the queues with matching names that have neither messages nor consumers. */
    public void deleteIdle(Predicate<String> names) {
        running().ifPresent(artemis -> deleteIdle(artemis, names));
    }

    private static void deleteIdle(ActiveMQServer artemis, Predicate<String> names) {
        List<SimpleString> idle = artemis.getPostOffice()
                .getAllBindings()
                .filter(LocalQueueBinding.class::isInstance)
                .map(binding -> ((LocalQueueBinding) binding).getQueue())
                .filter(queue -> names.test(queue.getName().toString()))
                .filter(queue -> queue.getConsumerCount() == 0 && queue.getMessageCount() == 0)
                .map(Queue::getName)
                .toList();
        for (SimpleString queue : idle) {
            try {
                artemis.destroyQueue(queue, null, true, false, true, true);
            } catch (Exception e) {
                LOG.atDebug().addKeyValue("queue", queue).setCause(e).log("queue is in use again; not deleted");
            }
        }
    }

    /**
     * Changes the filter for messages that arrive from now on; messages in the queue stay.
     *
     * @param filter null for none
     */
    void refilter(String queue, String filter) {
        try {
            artemis().updateQueue(QueueConfiguration.of(queue).setFilterString(filter == null ? "" : filter));
        } catch (Exception e) {
            throw new IllegalStateException("cannot change the filter of the queue " + queue, e);
        }
    }

    boolean hasQueue(String name) {
        return queueOf(name).isPresent();
    }

    /** Unacknowledged messages in a queue; 0 if the queue does not exist. */
    public long depth(String queue) {
        return queueOf(queue).map(Queue::getMessageCount).orElse(0L);
    }

    /** Messages that a consumer with none in flight could receive now; 0 if the queue does not exist. */
    long deliverable(String queue) {
        return queueOf(queue).map(EmbeddedArtemis::deliverable).orElse(0L);
    }

    private static long deliverable(Queue queue) {
        // Dispatch pauses until the messages in flight at another consumer are done, for example after a consumer was
        // added. A damaged queue counts messages as delivering that no consumer has, so with one consumer the count
        // proves nothing.
        boolean isInFlightElsewhere = queue.getConsumerCount() > 1 && queue.getDeliveringCount() > 0;
        return isInFlightElsewhere ? 0 : queue.getMessageCount() - queue.getScheduledCount();
    }

    /** Whether an operator has paused a queue. */
    boolean isPaused(String queue) {
        return queueOf(queue).filter(Queue::isPaused).isPresent();
    }

    /** Restarts the broker, which reloads the queues from the journal; at most once in ten minutes. */
    void restart(String reason) {
        restarts.restart(reason);
    }

    /** Messages added to a queue since the broker started; 0 if the queue does not exist. */
    public long everAdded(String queue) {
        return queueOf(queue).map(Queue::getMessagesAdded).orElse(0L);
    }

    @Override
    public void close() {
        restarts.close();
        stop(server);
    }

    private static void stop(EmbeddedActiveMQ server) {
        try {
            server.stop();
        } catch (Exception e) {
            throw new IllegalStateException("cannot stop the embedded JMS broker", e);
        }
    }
}
