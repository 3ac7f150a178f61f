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
 * One cluster of brokers: sees to its topics, and knows whether it can be reached. The brokers may be away, at the start
 * or later; the link goes on trying. Thread-safe.
 */
public final class KafkaConnection implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaConnection.class);
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(3);
    private static final Duration TRY_AGAIN = Duration.ofMillis(500);
    private static final long ANSWER_WITHIN_SECONDS = 5;
    private static final long CLOSED_WITHIN_MILLIS = 2_000;

    private final String brokers;
    private final String member;
    private final List<KafkaTopic> topics;
    private final Map<String, Object> login;
    private final Thread watch = new Thread(this::watch, "kafka-link");
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    /** Groups of this hub's name, in which only members of its own store belong. */
    private final Set<String> groups = ConcurrentHashMap.newKeySet();

    private final OutageLog outage = new OutageLog(LOG, "Kafka");
    private volatile String trouble;
    private volatile boolean shared;
    private volatile boolean closing;

    /**
     * @param brokers {@code host:port}, comma separated
     * @param member a name that this hub keeps over restarts and no other hub has: so that the brokers give a hub that
     *     was killed its partitions back at once
     * @param topics that must be there
     */
    public KafkaConnection(String brokers, String member, List<KafkaTopic> topics) {
        this(brokers, member, topics, Map.of());
    }

    /** @param login settings with which clients log in; empty when nobody has to */
    public KafkaConnection(String brokers, String member, List<KafkaTopic> topics, Map<String, Object> login) {
        this.login = Map.copyOf(login);
        this.brokers = brokers;
        this.member = member;
        this.topics = List.copyOf(topics);
        this.trouble = "Kafka at " + brokers + " has not answered yet";
        watch.setDaemon(true);
    }

    /** Begins to look for the brokers and to create what is missing; does not wait for them. */
    public void start() {
        watch.start();
    }

    /** Why the brokers cannot be used at present; empty while they can. */
    public Optional<String> unavailableReason() {
        return Optional.ofNullable(trouble);
    }

    /** Looks from now on for members of a group that are not of this hub. */
    void watchGroup(String group) {
        groups.add(group);
    }

    /** Whether another hub, with a store of its own, takes part in a group of this hub's name at present. */
    public boolean isNameShared() {
        return shared;
    }

    /**
     * Completes when the topics are there for the first time. Before that nothing may be sent: brokers that create topics
     * by themselves would make them otherwise than they should be.
     */
    CompletableFuture<Void> ready() {
        return ready;
    }

    public String brokers() {
        return brokers;
    }

    /** Lets go of the brokers; what was made of this link must be closed before. */
    @Override
    public void close() {
        closing = true;
        ready.completeExceptionally(new IllegalStateException("the link to Kafka is closed"));
        watch.interrupt();
        try {
            watch.join(CLOSED_WITHIN_MILLIS);
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
        // When a record fails nothing later may have gone out before it.
        settings.put("max.in.flight.requests.per.connection", 1);
        settings.put("delivery.timeout.ms", 20_000);
        settings.put("request.timeout.ms", 5_000);
        settings.put("max.block.ms", 5_000);
        settings.put("max.request.size", KafkaTopic.LARGEST_MESSAGE);
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
        // A partition that is new, or whose offset is not known, has messages nobody has seen.
        settings.put("auto.offset.reset", "earliest");
        settings.put("isolation.level", "read_committed");
        settings.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
        settings.put("session.timeout.ms", 10_000);
        settings.put("heartbeat.interval.ms", 1_000);
        settings.put("default.api.timeout.ms", 10_000);
        settings.put("request.timeout.ms", 10_000);
        // Compressed records may unfold to the largest body each, and all of a poll are in memory at once.
        settings.put("max.poll.records", 50);
        settings.put("fetch.max.bytes", KafkaTopic.LARGEST_MESSAGE);
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
                lookForOthers(admin);
                tell(null);
                ready.complete(null);
            } catch (ExecutionException | TimeoutException | RuntimeException e) {
                if (closing) {
                    break;
                }
                tell("Kafka at " + brokers + " cannot be used: " + reason(e));
            } catch (InterruptedException e) {
                break;
            }
            try {
                Thread.sleep((trouble == null ? LOOK_AGAIN : TRY_AGAIN).toMillis());
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
                // Another hub was quicker.
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw new IllegalStateException(
                            "the topic " + topic.name() + " is missing and cannot be created: " + reason(e), e);
                }
            }
        }
    }

    private void lookForOthers(Admin admin) throws TimeoutException, InterruptedException {
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
                                        ? "another hub takes part in consumer groups of this hub's name (hub.name)"
                                        : "no other hub takes part in consumer groups of this hub's name any more");
            }
            shared = found;
        } catch (ExecutionException e) {
            // Groups that are not there yet; or brokers that do not let the hub look.
            LOG.debug("members of the hub's consumer groups cannot be looked at", e);
        }
    }

    private static <T> T answer(KafkaFuture<T> future)
            throws ExecutionException, TimeoutException, InterruptedException {
        return future.get(ANSWER_WITHIN_SECONDS, TimeUnit.SECONDS);
    }

    private void tell(String now) {
        trouble = now;
        if (now == null) {
            outage.worked();
        } else {
            outage.failed(now + "; what needs Kafka waits, and the hub goes on trying to reach it (hub.kafka.brokers)");
        }
    }

    /** What is wrong, for a person. */
    static String reason(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        if (root instanceof TimeoutException) {
            return "no answer within " + ANSWER_WITHIN_SECONDS + " s";
        }
        return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
    }
}
