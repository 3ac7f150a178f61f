package io.caravanserai.kafka;

import io.caravanserai.support.OutageLog;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The connection to one Kafka cluster: creates missing topics and monitors availability. The brokers may be unavailable
 * at the start or later; the connection keeps retrying. Thread-safe.
 */
public final class KafkaConnection implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaConnection.class);
    private static final Duration CHECK_INTERVAL = Duration.ofSeconds(3);
    private static final Duration RETRY_INTERVAL = Duration.ofMillis(500);
    private static final long ANSWER_TIMEOUT_SECONDS = 5;
    private static final long CLOSE_TIMEOUT_MILLIS = 2_000;

    private final String brokers;
    private final String member;
    private final CopyOnWriteArrayList<KafkaTopic> topics;
    private final Map<String, Object> login;
    private final Thread watch = new Thread(this::watch, "kafka-link");
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    /** Groups of this hub's name: all members must be hubs with the same store. */
    private final Set<String> groups = ConcurrentHashMap.newKeySet();

    private final OutageLog outage = new OutageLog(LOG, "Kafka");
    private volatile String unavailableReason;
    private volatile boolean shared;
    private volatile boolean closing;

    /**
     * @param brokers {@code host:port}, comma separated
     * @param member an id that no other hub has and that is stable over restarts, so that a killed hub gets the
     *     partitions back at once
     * @param topics that must exist
     */
    public KafkaConnection(String brokers, String member, List<KafkaTopic> topics) {
        this(brokers, member, topics, Map.of());
    }

    /** @param login settings for the login of clients; empty if the brokers require none */
    public KafkaConnection(String brokers, String member, List<KafkaTopic> topics, Map<String, Object> login) {
        this.login = Map.copyOf(login);
        this.brokers = brokers;
        this.member = member;
        this.topics = new CopyOnWriteArrayList<>(topics);
        this.unavailableReason = "Kafka at " + brokers + " has not answered yet";
        watch.setDaemon(true);
    }

    /** Starts looking for the brokers and creating missing topics; does not wait. */
    public void start() {
        watch.start();
    }

    /** Why the brokers are unavailable; empty while the brokers are available. */
    public Optional<String> unavailableReason() {
        return Optional.ofNullable(unavailableReason);
    }

    /** Creates a topic if it is missing, within some seconds. */
    public void require(KafkaTopic topic) {
        topics.addIfAbsent(topic);
    }

    /** Monitors a group for members that are not of this hub, from now on. */
    void watchGroup(String group) {
        groups.add(group);
    }

    /** Whether another hub with a separate store is a member of a group of this hub's name. */
    public boolean isNameShared() {
        return shared;
    }

    /**
     * Completes when all topics exist for the first time. Nothing may be sent before: brokers with automatic topic
     * creation would create the topics with other settings.
     */
    CompletableFuture<Void> ready() {
        return ready;
    }

    public String brokers() {
        return brokers;
    }

    /** Disconnects. Close the senders and consumers of this connection first. */
    @Override
    public void close() {
        closing = true;
        ready.completeExceptionally(new IllegalStateException("the connection to Kafka is closed"));
        watch.interrupt();
        try {
            watch.join(CLOSE_TIMEOUT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        outage.forget();
    }

    Map<String, Object> producerSettings() {
        Map<String, Object> settings = new HashMap<>(login);
        settings.put("bootstrap.servers", brokers);
        settings.put("client.id", member);
        settings.put("acks", "all");
        settings.put("enable.idempotence", true);
        // After a record fails, no later record may have been sent.
        settings.put("max.in.flight.requests.per.connection", 1);
        settings.put("delivery.timeout.ms", 20_000);
        settings.put("request.timeout.ms", 5_000);
        settings.put("max.block.ms", 5_000);
        settings.put("max.request.size", KafkaTopic.MAX_MESSAGE_BYTES);
        settings.put("linger.ms", 0);
        settings.put("reconnect.backoff.max.ms", 1_000);
        return settings;
    }

    Map<String, Object> consumerSettings(String group) {
        Map<String, Object> settings = new HashMap<>(login);
        settings.put("bootstrap.servers", brokers);
        settings.put("group.id", group);
        settings.put("client.id", member + "-" + group);
        settings.put("group.instance.id", member);
        settings.put("enable.auto.commit", false);
        // A new partition, or one without a known offset, may hold unread records.
        settings.put("auto.offset.reset", "earliest");
        settings.put("isolation.level", "read_committed");
        settings.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
        settings.put("session.timeout.ms", 10_000);
        settings.put("heartbeat.interval.ms", 1_000);
        settings.put("default.api.timeout.ms", 10_000);
        settings.put("request.timeout.ms", 10_000);
        // Each compressed record may expand to the maximum body size, and all records of a poll are in memory at once.
        settings.put("max.poll.records", 50);
        settings.put("fetch.max.bytes", KafkaTopic.MAX_MESSAGE_BYTES);
        settings.put("max.partition.fetch.bytes", 1024 * 1024);
        settings.put("allow.auto.create.topics", false);
        settings.put("reconnect.backoff.max.ms", 1_000);
        settings.put("metadata.max.age.ms", 30_000);
        return settings;
    }

    private void watch() {
        Admin admin = null;
        while (!closing) {
            try {
                if (admin == null) {
                    Map<String, Object> settings = new HashMap<>(login);
                    settings.put("bootstrap.servers", brokers);
                    settings.put("client.id", member);
                    settings.put("reconnect.backoff.max.ms", 1_000);
                    admin = Admin.create(settings);
                }
                createMissing(admin);
                checkGroupMembers(admin);
                reportState(null);
                ready.complete(null);
            } catch (ExecutionException | TimeoutException | RuntimeException e) {
                if (closing) {
                    break;
                }
                reportState("Kafka at " + brokers + " cannot be used: " + reason(e));
            } catch (InterruptedException e) {
                break;
            }
            try {
                Thread.sleep((unavailableReason == null ? CHECK_INTERVAL : RETRY_INTERVAL).toMillis());
            } catch (InterruptedException e) {
                break;
            }
        }
        if (admin != null) {
            admin.close(Duration.ZERO);
        }
    }

    private void createMissing(Admin admin) throws ExecutionException, TimeoutException, InterruptedException {
        List<String> names = topics.stream().map(KafkaTopic::name).toList();
        var described = admin.describeTopics(names).topicNameValues();
        List<KafkaTopic> missing = new ArrayList<>();
        for (KafkaTopic topic : topics) {
            try {
                answer(described.get(topic.name()));
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw e;
                }
                missing.add(topic);
            }
        }
        for (KafkaTopic topic : missing) {
            try {
                answer(admin.createTopics(List.of(topic.toCreate())).all());
                LOG.atInfo()
                        .addKeyValue("topic", topic.name())
                        .addKeyValue("partitions", topic.partitions())
                        .log("topic created");
            } catch (ExecutionException e) {
                // Another hub has created the topic first.
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw new IllegalStateException(
                            "cannot create the missing topic " + topic.name() + ": " + reason(e), e);
                }
            }
        }
    }

    private void checkGroupMembers(Admin admin) throws TimeoutException, InterruptedException {
        try {
            boolean found = false;
            for (var group : answer(
                            admin.describeConsumerGroups(List.copyOf(groups)).all())
                    .values()) {
                found |= group.members().stream()
                        .flatMap(each -> each.groupInstanceId().stream())
                        .anyMatch(each -> !each.equals(member));
            }
            if (found != shared) {
                LOG.atLevel(found ? Level.WARN : Level.INFO)
                        .addKeyValue("brokers", brokers)
                        .log(
                                found
                                        ? "another hub uses consumer groups of this hub's name; set another hub.name"
                                        : "no other hub uses consumer groups of this hub's name any more");
            }
            shared = found;
        } catch (ExecutionException e) {
            // The groups may not exist yet, or the brokers may refuse the query.
            LOG.debug("cannot read the members of the hub's consumer groups; will retry", e);
        }
    }

    private static <T> T answer(KafkaFuture<T> future)
            throws ExecutionException, TimeoutException, InterruptedException {
        return future.get(ANSWER_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }

    private void reportState(String reason) {
        unavailableReason = reason;
        if (reason == null) {
            outage.worked();
        } else {
            outage.failed(reason + "; reconnecting to Kafka (hub.kafka.brokers), messages wait until then");
        }
    }

    /** The root cause as text for an operator. */
    static String reason(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        if (root instanceof TimeoutException) {
            return "no answer within " + ANSWER_TIMEOUT_SECONDS + " s";
        }
        return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
    }
}
