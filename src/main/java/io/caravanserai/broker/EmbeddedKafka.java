package io.caravanserai.broker;

import io.caravanserai.config.HubSettings.ApiKey;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A single-node Kafka broker with a KRaft controller in this process, for trials without an installation. Acknowledged
 * records survive a power cut: each record is synced before the acknowledgement. A broker that failed, for example on a
 * full disk, is restarted once the disk works. At most one per process.
 */
public final class EmbeddedKafka implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedKafka.class);
    private static final String LOOPBACK = "127.0.0.1";
    private static final int NODE = 1;
    private static final long STOP_MILLIS = 60_000;
    private static final long INTERRUPT_INTERVAL_MILLIS = 3_000;
    private static final int MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

    private final Path directory;
    private final int wantedPort;
    private final Optional<KafkaLogins.Realm> realm;
    private final BrokerRestarts restarts;
    private KafkaRaftServer server;
    private volatile Thread stopping;
    private volatile int port;

    /**
     * @param directory of the data; created if missing
     * @param port on the loopback address; 0 selects a free port
     */
    public EmbeddedKafka(Path directory, int port) {
        this(directory, port, List.of(), "hub");
    }

    /**
     * As {@link #EmbeddedKafka(Path, int)}, with logins.
     *
     * @param keys the permitted logins over SASL/PLAIN, with the rights of {@link KafkaPermissions}; if empty, every
     *     program that reaches the loopback address is let in
     * @param hubName prefix of the hub's consumer groups
     */
    public EmbeddedKafka(Path directory, int port, List<ApiKey> keys, String hubName) {
        this.directory = directory.toAbsolutePath();
        this.wantedPort = port;
        this.realm = keys.isEmpty() ? Optional.empty() : Optional.of(new KafkaLogins.Realm(keys, hubName));
        this.restarts = new BrokerRestarts("embedded Kafka broker", this.directory, new BrokerRestarts.Part() {
            @Override
            public void stop() throws InterruptedException {
                stopFailed();
            }

            @Override
            public void start() throws IOException {
                launch();
            }
        });
    }

    /** Login settings for the hub's clients; empty without keys. */
    public Map<String, Object> login() {
        return realm.<Map<String, Object>>map(known -> Map.of(
                        "security.protocol", "SASL_PLAINTEXT",
                        "sasl.mechanism", "PLAIN",
                        "sasl.jaas.config", known.loginConfiguration()))
                .orElse(Map.of());
    }

    /**
     * Starts the broker; returns when clients can connect.
     *
     * @throws IOException if the folder cannot be written or the port is taken
     * @throws IllegalStateException if the broker cannot start, for example because another hub uses the folder
     */
    public synchronized void start() throws IOException {
        if (server != null) {
            throw new IllegalStateException("the embedded Kafka broker is already running");
        }
        restarts.prepare();
        // Kafka ends the process on a fatal fault. Here that would end the whole hub.
        Exit.setExitProcedure(this::failed);
        Exit.setHaltProcedure(this::failed);
        realm.ifPresent(KafkaLogins::open);
        port = freePort(wantedPort);
        launch();
        LOG.atInfo().addKeyValue("port", port).log("embedded Kafka broker started");
    }

    private synchronized void launch() throws IOException {
        new KafkaFolder(directory, NODE).prepare();
        KafkaRaftServer starting = null;
        try {
            starting = new KafkaRaftServer(new KafkaConfig(configuration(freePort(0))), Time.SYSTEM);
            starting.startup();
            server = starting;
        } catch (RuntimeException e) {
            if (starting != null) {
                // A half-started broker may hold the lock of the folder.
                shutDown(starting);
            }
            throw new IllegalStateException(
                    "cannot start the embedded Kafka broker in " + directory + " (hub.data.dir): "
                            + rootOf(e).getMessage(),
                    e);
        }
    }

    /** A failed broker may be unable to stop, and holds the lock of the folder until then. */
    private void stopFailed() throws InterruptedException {
        KafkaRaftServer failed;
        synchronized (this) {
            failed = server;
            server = null;
        }
        if (failed != null) {
            stopping = new Thread(() -> shutDown(failed), "kafka-stop");
            stopping.setDaemon(true);
            stopping.start();
        }
        if (stopping != null) {
            // The stop waits minutes for a failed controller, too. An interrupt makes the stop go on with the next
            // part.
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(STOP_MILLIS);
            for (stopping.join(INTERRUPT_INTERVAL_MILLIS); stopping.isAlive() && System.nanoTime() < until; ) {
                stopping.interrupt();
                stopping.join(INTERRUPT_INTERVAL_MILLIS);
            }
            if (stopping.isAlive()) {
                throw new IllegalStateException("the broker did not stop within " + STOP_MILLIS / 1_000 + " s");
            }
        }
    }

    private static void shutDown(KafkaRaftServer server) {
        try {
            server.shutdown();
            server.awaitShutdown();
        } catch (RuntimeException e) {
            LOG.atDebug().setCause(e).log("failed Kafka broker did not stop cleanly");
        }
    }

    /** Address for clients, as {@code host:port}. */
    public String bootstrapServers() {
        return LOOPBACK + ":" + port;
    }

    /** The client port; valid after {@link #start}. */
    public int port() {
        return port;
    }

    /** Why the broker is down; empty while the broker works. */
    public Optional<String> unavailableReason() {
        return restarts.outage();
    }

    /** Stops the broker; the data stays. Does nothing if the broker is not running. */
    @Override
    public void close() {
        restarts.close();
        stop();
    }

    private synchronized void stop() {
        if (server != null) {
            server.shutdown();
            server.awaitShutdown();
            server = null;
        }
        realm.ifPresent(KafkaLogins::close);
    }

    private Map<String, String> configuration(int controllerPort) {
        Map<String, String> configuration = new HashMap<>();
        configuration.put("process.roles", "broker,controller");
        configuration.put("node.id", String.valueOf(NODE));
        configuration.put("log.dirs", directory.toString());
        configuration.put(
                "listeners", "CLIENTS://%s:%d,CONTROLLER://%s:%d".formatted(LOOPBACK, port, LOOPBACK, controllerPort));
        configuration.put("advertised.listeners", "CLIENTS://" + bootstrapServers());
        configuration.put("listener.security.protocol.map", "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT");
        configuration.put("inter.broker.listener.name", "CLIENTS");
        configuration.put("controller.listener.names", "CONTROLLER");
        // The voter is configured here and not stored, because the controller's port changes at each start.
        configuration.put("controller.quorum.voters", NODE + "@" + LOOPBACK + ":" + controllerPort);
        // A new group need not wait for more members.
        configuration.put("group.initial.rebalance.delay.ms", "0");
        // After a crash the controller readmits the broker only when the session of the dead broker has expired. A
        // shorter session would expire by mistake on a busy machine.
        configuration.put("broker.session.timeout.ms", "3000");
        configuration.put("broker.heartbeat.interval.ms", "300");
        for (String topic : List.of("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")) {
            configuration.put(topic + ".num.partitions", "4");
            configuration.put(topic + ".replication.factor", "1");
        }
        configuration.put("transaction.state.log.min.isr", "1");
        configuration.put("share.coordinator.state.topic.min.isr", "1");
        // An order of 1 MiB has headers, too. Oversized records must be accepted to appear among the dead letters.
        configuration.put("message.max.bytes", String.valueOf(MAX_MESSAGE_BYTES));
        // Sized for an embedded broker: the cleaner alone would take 128 MiB.
        configuration.put("log.cleaner.dedupe.buffer.size", String.valueOf(4 * 1024 * 1024));
        // An acknowledged record must survive a power cut. Brokers with replicas on other machines leave the sync to
        // the operating system; this broker has no replica.
        configuration.put("log.flush.interval.messages", "1");
        configuration.put("num.network.threads", "2");
        configuration.put("num.io.threads", "4");
        configuration.put("background.threads", "2");
        configuration.put("group.coordinator.threads", "1");
        configuration.put("share.coordinator.threads", "1");
        realm.ifPresent(known -> secure(configuration, known));
        return configuration;
    }

    /** Secures the controller's listener as well: over an open one, any program could create topics. */
    private static void secure(Map<String, String> configuration, KafkaLogins.Realm realm) {
        configuration.put("listener.security.protocol.map", "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT");
        configuration.put("sasl.enabled.mechanisms", "PLAIN");
        configuration.put("sasl.mechanism.inter.broker.protocol", "PLAIN");
        configuration.put("sasl.mechanism.controller.protocol", "PLAIN");
        for (String listener : List.of("clients", "controller")) {
            String plain = "listener.name." + listener + ".plain.sasl.";
            configuration.put(plain + "jaas.config", realm.loginConfiguration());
            configuration.put(plain + "server.callback.handler.class", KafkaLogins.class.getName());
        }
        configuration.put("authorizer.class.name", KafkaPermissions.class.getName());
        configuration.put(KafkaPermissions.REALM, realm.id());
    }

    private void failed(int status, String message) {
        String reason = message == null ? "status " + status : message;
        restarts.failed(null, reason);
        throw new IllegalStateException("the embedded Kafka broker has failed: " + reason);
    }

    private static int freePort(int wanted) throws IOException {
        try (ServerSocket trial = new ServerSocket(wanted, 1, InetAddress.getByName(LOOPBACK))) {
            return trial.getLocalPort();
        } catch (BindException e) {
            throw new IOException("cannot bind " + LOOPBACK + ":" + wanted + " (hub.kafka.port): " + e.getMessage(), e);
        }
    }

    private static Throwable rootOf(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }
}
