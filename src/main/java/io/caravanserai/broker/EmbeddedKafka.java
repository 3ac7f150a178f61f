package io.caravanserai.broker;

import io.caravanserai.HubSettings.ApiKey;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.Feature;
import org.apache.kafka.server.common.MetadataVersion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Kafka broker of one node in this process: broker and KRaft controller, for trying things out without installing
 * anything. What it has acknowledged survives a kill of the process; like any Kafka it leaves the flush to the disk to
 * the operating system, so a power cut can cost the last moments. One at a time in a process.
 */
public final class EmbeddedKafka implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedKafka.class);
    private static final String LOOPBACK = "127.0.0.1";
    private static final int NODE = 1;
    private static final int LARGEST_MESSAGE = 16 * 1024 * 1024;

    private final Path directory;
    private final int wantedPort;
    private final Optional<KafkaLogins.Realm> realm;
    private final AtomicReference<String> trouble = new AtomicReference<>();
    private KafkaRaftServer server;
    private int port;

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
        if (!Files.exists(directory)) {
            format();
        }
        // A server library ends the process on a fatal fault. Here that would end the hub, which has other doors.
        Exit.setExitProcedure(this::failed);
        Exit.setHaltProcedure(this::failed);
        realm.ifPresent(KafkaLogins::open);
        port = portThatIsFree(wantedPort);
        try {
            KafkaConfig configuration = new KafkaConfig(configuration(portThatIsFree(0)));
            KafkaRaftServer starting = new KafkaRaftServer(configuration, Time.SYSTEM);
            starting.startup();
            server = starting;
        } catch (RuntimeException e) {
            throw new IllegalStateException(
                    "the embedded Kafka broker cannot start with " + directory + ": "
                            + rootOf(e).getMessage(),
                    e);
        }
        trouble.set(null);
        LOG.atInfo().addKeyValue("port", port).log("embedded Kafka broker takes clients");
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
    public Optional<String> trouble() {
        return Optional.ofNullable(trouble.get());
    }

    /** Stops the broker; its data stays. Does nothing when it does not run. */
    @Override
    public synchronized void close() {
        if (server != null) {
            server.shutdown();
            server.awaitShutdown();
            server = null;
        }
        realm.ifPresent(KafkaLogins::close);
    }

    /** Formatted beside its place and then moved there: a crash half-way leaves no half-formatted folder. */
    private void format() throws IOException {
        Path forming = directory.resolveSibling(directory.getFileName() + ".forming");
        deleteAll(forming);
        Files.createDirectories(forming);
        try {
            new Formatter()
                    .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
                    .setClusterId(Uuid.randomUuid().toString())
                    .setNodeId(NODE)
                    .setControllerListenerName("CONTROLLER")
                    .setSupportedFeatures(Feature.PRODUCTION_FEATURES)
                    .setReleaseVersion(MetadataVersion.latestProduction())
                    .setDirectories(List.of(forming.toString()))
                    .setMetadataLogDirectory(forming.toString())
                    .run();
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("cannot format " + forming, e);
        }
        Files.move(forming, directory, StandardCopyOption.ATOMIC_MOVE);
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
        trouble.compareAndSet(null, "the embedded Kafka broker has failed: " + reason);
        LOG.atError().addKeyValue("status", status).log("embedded Kafka broker has failed");
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

    private static void deleteAll(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
