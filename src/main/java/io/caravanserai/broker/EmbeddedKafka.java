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
 * A Kafka broker of one node in this process: broker and KRaft controller, for trying things out without installing
 * anything. What it has acknowledged survives a power cut: each record is synced before its sender hears of it. A broker
 * that has failed, as on a full disk, is started again once the disk works. One at a time in a process.
 */
public final class EmbeddedKafka implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedKafka.class);
    private static final String LOOPBACK = "127.0.0.1";
    private static final int NODE = 1;
    private static final long STOP_MILLIS = 60_000;
    private static final long PATIENCE_MILLIS = 3_000;
    private static final int LARGEST_MESSAGE = 16 * 1024 * 1024;

    private final Path directory;
    private final int wantedPort;
    private final Optional<KafkaLogins.Realm> realm;
    private final BrokerRestarts restarts;
    private KafkaRaftServer server;
    private volatile Thread stopping;
    private volatile int port;

    /**
     * @param directory where its data lives; made when missing
     * @param port where it listens on the loopback address; 0 takes a free one
     */
    public EmbeddedKafka(Path directory, int port) {
        this(directory, port, List.of(), "hub");
    }

    /**
     * As the other one, with logins.
     *
     * @param keys who may log in, by SASL/PLAIN, and do what {@link KafkaPermissions} tells; none lets anyone in that
     *     reaches the loopback address
     * @param hubName what the consumer groups of the hub itself begin with
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

    /** Settings with which a client of the hub itself logs in; empty without keys. */
    public Map<String, Object> login() {
        return realm.<Map<String, Object>>map(known -> Map.of(
                        "security.protocol", "SASL_PLAINTEXT",
                        "sasl.mechanism", "PLAIN",
                        "sasl.jaas.config", known.loginConfiguration()))
                .orElse(Map.of());
    }

    /**
     * Starts the broker; answers when it takes clients.
     *
     * @throws IOException when its folder cannot be written
     * @throws IllegalStateException when it cannot start: the port is taken, the folder is used by another hub
     */
    public synchronized void start() throws IOException {
        if (server != null) {
            throw new IllegalStateException("the embedded Kafka broker runs already");
        }
        restarts.prepare();
        // A server library ends the process on a fatal fault. Here that would end the hub, which has other doors.
        Exit.setExitProcedure(this::failed);
        Exit.setHaltProcedure(this::failed);
        realm.ifPresent(KafkaLogins::open);
        port = portThatIsFree(wantedPort);
        launch();
        LOG.atInfo().addKeyValue("port", port).log("embedded Kafka broker takes clients");
    }

    private synchronized void launch() throws IOException {
        new KafkaFolder(directory, NODE).prepare();
        KafkaRaftServer starting = null;
        try {
            starting = new KafkaRaftServer(new KafkaConfig(configuration(portThatIsFree(0))), Time.SYSTEM);
            starting.startup();
            server = starting;
        } catch (RuntimeException e) {
            if (starting != null) {
                // Half of it may run, and hold the lock of the folder.
                shutDown(starting);
            }
            throw new IllegalStateException(
                    "the embedded Kafka broker cannot start with " + directory + ": "
                            + rootOf(e).getMessage(),
                    e);
        }
    }

    /** A broker that has failed may not be able to stop either; it holds the lock of the folder until it has. */
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
            // It waits for minutes for a controller that has failed, too; woken, it goes on with what is to be stopped
            // next.
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(STOP_MILLIS);
            for (stopping.join(PATIENCE_MILLIS); stopping.isAlive() && System.nanoTime() < until; ) {
                stopping.interrupt();
                stopping.join(PATIENCE_MILLIS);
            }
            if (stopping.isAlive()) {
                throw new IllegalStateException("it does not stop");
            }
        }
    }

    private static void shutDown(KafkaRaftServer server) {
        try {
            server.shutdown();
            server.awaitShutdown();
        } catch (RuntimeException e) {
            LOG.atDebug().setCause(e).log("a Kafka broker that has failed did not stop cleanly");
        }
    }

    /** Where clients find it, as {@code host:port}. */
    public String bootstrapServers() {
        return LOOPBACK + ":" + port;
    }

    /** Where it listens; meaningful once started. */
    public int port() {
        return port;
    }

    /** Why the broker no longer works; empty while it does. */
    public Optional<String> unavailableReason() {
        return restarts.outage();
    }

    /** Stops the broker; its data stays. Does nothing when it does not run. */
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
        // A voter named here and not in the data: the controller may listen elsewhere after each start.
        configuration.put("controller.quorum.voters", NODE + "@" + LOOPBACK + ":" + controllerPort);
        // There is nobody to wait for.
        configuration.put("group.initial.rebalance.delay.ms", "0");
        // After a crash the controller takes the broker back only when the session of the one that died has run out; a
        // shorter one runs out by itself on a machine that is busy.
        configuration.put("broker.session.timeout.ms", "3000");
        configuration.put("broker.heartbeat.interval.ms", "300");
        for (String topic : List.of("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")) {
            configuration.put(topic + ".num.partitions", "4");
            configuration.put(topic + ".replication.factor", "1");
        }
        configuration.put("transaction.state.log.min.isr", "1");
        configuration.put("share.coordinator.state.topic.min.isr", "1");
        // An order of 1 MiB has headers, too; and what is too large must come in to be seen among the dead letters.
        configuration.put("message.max.bytes", String.valueOf(LARGEST_MESSAGE));
        // Sized for a guest in another's process: the cleaner alone would take 128 MiB.
        configuration.put("log.cleaner.dedupe.buffer.size", String.valueOf(4 * 1024 * 1024));
        // An acknowledgement must not tell of what a power cut takes back. Brokers with copies on other machines leave
        // the
        // sync to the operating system; this one has none.
        configuration.put("log.flush.interval.messages", "1");
        configuration.put("num.network.threads", "2");
        configuration.put("num.io.threads", "4");
        configuration.put("background.threads", "2");
        configuration.put("group.coordinator.threads", "1");
        configuration.put("share.coordinator.threads", "1");
        realm.ifPresent(known -> secure(configuration, known));
        return configuration;
    }

    /** The controller's listener too: on it anybody could make topics. */
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

    private static int portThatIsFree(int wanted) throws IOException {
        try (ServerSocket trial = new ServerSocket(wanted, 1, InetAddress.getByName(LOOPBACK))) {
            return trial.getLocalPort();
        } catch (BindException e) {
            throw new IOException(
                    "the embedded Kafka broker cannot listen on port " + wanted + ": " + e.getMessage(), e);
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
