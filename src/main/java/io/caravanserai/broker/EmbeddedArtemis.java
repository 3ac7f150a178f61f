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
 * An Artemis broker in the hub's process: its journal beside the database, a TCP acceptor on the loopback address for
 * other programs, and an acceptor within the process for the hub itself.
 */
public final class EmbeddedArtemis implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedArtemis.class);
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    /**
     * The journal writes what it has after this time, or when its buffer is full. The default of 3.33 ms, made for disks
     * that turn, would be the time that each small commit waits; the disk itself answers in a tenth of a millisecond.
     */
    private static final int JOURNAL_BUFFER_TIMEOUT_NANOS = 200_000;

    /** Of the 30 that are usual, most are woken for a moment's work that one awake would have done on the way. */
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

    private EmbeddedArtemis(Path folder, int port, List<HubSettings.ApiKey> keys, HubAddresses ofTheHub) {
        this.folder = folder;
        this.port = port;
        this.keys = keys;
        this.permissions = new BrokerPermissions(keys, ofTheHub, this::exists);
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
     * Starts a broker and waits until it takes connections. A broker that stops itself because its disk is full or fails
     * is started again once the disk works: {@link #outage} tells of it.
     *
     * @param folder of its journal
     * @param port 0 takes a free one
     * @param keys who may log in; none lets anyone in that reaches the loopback address
     * @param ofTheHub what no key but an operator's may touch
     * @throws IllegalStateException when it does not start; the message says why
     */
    public static EmbeddedArtemis start(Path folder, int port, List<HubSettings.ApiKey> keys, HubAddresses ofTheHub) {
        EmbeddedArtemis broker = new EmbeddedArtemis(folder, port, keys, ofTheHub);
        try {
            broker.restarts.prepare();
        } catch (IOException e) {
            throw new IllegalStateException(
                    "the files of the embedded JMS broker in " + folder
                            + " (hub.data.dir) met an I/O error and cannot be" + " copied: " + e.getMessage(),
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
                throw new IllegalStateException("it did not become active; its log lines above say why");
            }
            // A later start must listen where this one did.
            port = port();
        } catch (Exception e) {
            stop(starting);
            throw new IllegalStateException(
                    "the embedded JMS broker does not start on port " + port + " (hub.jms.port) with its journal in "
                            + folder + " (hub.data.dir): " + e.getMessage(),
                    e);
        }
    }

    /** The broker stops itself at such a failure, on a thread of its own; nothing may be started before it has. */
    private void stopFailed() throws Exception {
        ActiveMQServer failed = artemis();
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(STOP_SECONDS);
        server.stop();
        while (failed.getState() != ActiveMQServer.SERVER_STATE.STOPPED) {
            if (System.nanoTime() > until) {
                throw new IllegalStateException("it does not stop");
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    /** The server as it is now, started or not. */
    ActiveMQServer artemis() {
        return server.getActiveMQServer();
    }

    /** Why the broker does not run at present; empty while it does. */
    Optional<String> outage() {
        return restarts.outage();
    }

    /** The broker; empty while it is being started again. */
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
                // Nothing that is decided for one connection holds for another.
                .setAuthenticationCacheSize(0)
                .setAuthorizationCacheSize(0)
                // Messages name their sender, whatever the sender wrote there.
                .setPopulateValidatedUser(secured)
                // A login for brokers of a cluster that may do everything; the usual password of it is public.
                .setClusterUser(BrokerLogins.secret())
                .setClusterPassword(BrokerLogins.secret())
                .setIncomingInterceptorClassNames(List.of(CorePacketGuard.class.getName()))
                .setJMXManagementEnabled(false)
                .setGlobalMaxSize(MEMORY_FOR_MESSAGES)
                // The hub watches the disk itself; a broker that stops taking messages without a word helps nobody.
                .setMaxDiskUsage(-1)
                .setCriticalAnalyzer(false)
                .setGracefulShutdownEnabled(false)
                // Not as URLs: what reads those takes a tenth of a second of the start.
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
                .addAcceptorConfiguration(new TransportConfiguration(
                        InVMAcceptorFactory.class.getName(), withinTheProcess(number), "hub"));
        configuration.addAddressSetting("#", everywhere());
        for (String own : List.of("orders", "order-events")) {
            configuration.addAddressSetting(own, whereTheHubGivesUpItself());
        }
        // Also published to: the hub's own shared subscription takes what comes by MQTT. Artemis would warn at each
        // start that the address cannot lose the routing type that the subscription has.
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

    private static AddressSettings everywhere() {
        return new AddressSettings()
                .setDeadLetterAddress(SimpleString.of("DLQ"))
                // What expires is not lost either.
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
     * The hub tries these messages again itself, without holding up others. That connections come and go must never
     * make one of them a dead letter.
     */
    private static AddressSettings whereTheHubGivesUpItself() {
        return everywhere().setMaxDeliveryAttempts(-1).setRedeliveryDelay(0);
    }

    /**
     * Whether an answer may go where a message asks for it.
     *
     * @param user who sent the message; null when no keys are set
     */
    boolean mayBeAnswered(String user, String address) {
        return keys.isEmpty() || logins.mayBeAnswered(user, address);
    }

    /** Where other programs connect. */
    public int port() {
        if (port != 0) {
            return port;
        }
        return artemis().getRemotingService().getAcceptor("tcp").getActualPort();
    }

    /** Makes the connections of the hub itself. */
    ActiveMQConnectionFactory connections() {
        ActiveMQConnectionFactory connections = new ActiveMQConnectionFactory(
                false,
                new TransportConfiguration(InProcessConnectorFactory.class.getName(), withinTheProcess(number), "hub"));
        // Else later connections are made as the broker says, not as is said here.
        connections.setUseTopologyForLoadBalancing(false);
        connections.setUser(BrokerLogins.HUB);
        connections.setPassword(logins.hubPassword());
        return connections;
    }

    private static Map<String, Object> withinTheProcess(int number) {
        return Map.of(
                org.apache.activemq.artemis.core.remoting.impl.invm.TransportConstants.SERVER_ID_PROP_NAME, number);
    }

    /** Deletes the queues of such names that hold nothing and that nobody listens to. */
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
                LOG.atDebug().addKeyValue("queue", queue).setCause(e).log("a queue is in use again");
            }
        }
    }

    /** Changes which messages a queue takes from now on; those in it stay. */
    void refilter(String queue, String filter) {
        try {
            artemis().updateQueue(QueueConfiguration.of(queue).setFilterString(filter == null ? "" : filter));
        } catch (Exception e) {
            throw new IllegalStateException("the filter of the queue " + queue + " cannot be changed", e);
        }
    }

    boolean hasQueue(String name) {
        return queueOf(name).isPresent();
    }

    /** Messages in a queue that nobody has taken for good; 0 when there is no such queue. */
    public long depth(String queue) {
        return queueOf(queue).map(Queue::getMessageCount).orElse(0L);
    }

    /** Messages for a consumer that has none in its hands at present; 0 when there is no such queue. */
    long deliverable(String queue) {
        return queueOf(queue).map(EmbeddedArtemis::deliverable).orElse(0L);
    }

    private static long deliverable(Queue queue) {
        // Dispatch pauses until the messages in another consumer's hands are done with, as after a consumer was added.
        // A
        // damaged queue counts messages as delivered that nobody has, so what is in the hands of one is no sign.
        boolean isInOtherHands = queue.getConsumerCount() > 1 && queue.getDeliveringCount() > 0;
        return isInOtherHands ? 0 : queue.getMessageCount() - queue.getScheduledCount();
    }

    /** Whether an operator has paused a queue. */
    boolean isPaused(String queue) {
        return queueOf(queue).filter(Queue::isPaused).isPresent();
    }

    /** Starts the broker again, which reads its queues anew from the journal; at most once in ten minutes. */
    void restart(String reason) {
        restarts.restart(reason);
    }

    /** Messages that were ever put into a queue since the broker started; 0 when there is no such queue. */
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
            throw new IllegalStateException("the embedded JMS broker did not stop", e);
        }
    }
}
