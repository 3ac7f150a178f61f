package io.caravanserai.intake;

import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The queues and topics that orders are received from: each one that a route names, and always the queue and the topic
 * {@code orders}. Messages of a source without a route are submitted as they are. Thread-safe.
 */
public final class OrderSources implements AutoCloseable {
    private final IntakeRoutes routes;
    private final Map<String, Function<String, ? extends OrderSource>> kinds;
    private final Set<String> always;
    private final Map<String, OrderSource> open = new ConcurrentHashMap<>();
    private volatile boolean closed;

    /**
     * The sources of a hub.
     *
     * @param kafka empty when Kafka is off: routes that begin with a topic then get no message
     */
    public static OrderSources of(
            IntakeRoutes routes, JmsOrders.Parts jms, Optional<KafkaOrders.Parts> kafka, DeadLetters letters) {
        Map<String, Function<String, ? extends OrderSource>> kinds = new HashMap<>();
        kinds.put("jms", queue -> new JmsOrders(queue, jms));
        kafka.ifPresent(parts -> kinds.put("kafka", topic -> new KafkaOrders(topic, parts)));
        OrderSources sources = new OrderSources(routes, kinds);
        letters.changedAndReplayedBy(JmsOrders.CHANNEL, letter -> sources.replay("jms", letter));
        if (kafka.isPresent()) {
            letters.changedAndReplayedBy(KafkaOrders.CHANNEL, letter -> sources.replay("kafka", letter));
        }
        return sources;
    }

    /** @param kinds makes a source from the name of the queue or topic, by kind: {@code jms}, {@code kafka} */
    private OrderSources(IntakeRoutes routes, Map<String, Function<String, ? extends OrderSource>> kinds) {
        this.routes = routes;
        this.kinds = Map.copyOf(kinds);
        this.always = kinds.keySet().stream().map(kind -> kind + ":orders").collect(Collectors.toUnmodifiableSet());
    }

    /** Starts receiving from all sources; sources come and go with their routes from now on. */
    public OrderSources start() {
        routes.listen(this::changed);
        return this;
    }

    private synchronized void changed(Set<String> withRoute) {
        if (closed) {
            return;
        }
        Set<String> wanted = new HashSet<>(always);
        withRoute.stream().filter(source -> kinds.containsKey(kindOf(source))).forEach(wanted::add);
        for (String source : wanted) {
            open.computeIfAbsent(source, this::opened);
        }
        for (String source : Set.copyOf(open.keySet())) {
            if (!wanted.contains(source)) {
                // The route is stopping, and messages in flight may still be in it: not on the thread that stops it.
                new Thread(open.remove(source)::close, "close-" + source).start();
            }
        }
    }

    private OrderSource opened(String source) {
        OrderSource opened =
                kinds.get(kindOf(source)).apply(source.substring(kindOf(source).length() + 1));
        opened.start();
        return opened;
    }

    private static String kindOf(String source) {
        return source.substring(0, source.indexOf(':'));
    }

    /**
     * Why no orders are received from a source of a kind at present; empty while all sources of the kind work.
     *
     * @param kind {@code jms} or {@code kafka}
     */
    public Optional<String> unavailableReason(String kind) {
        return open.entrySet().stream()
                .filter(each -> kindOf(each.getKey()).equals(kind))
                .flatMap(each -> each.getValue().unavailableReason().stream())
                .findFirst();
    }

    private CompletableFuture<Void> replay(String kind, DeadLetter letter) {
        OrderSource source = open.get(kind + ":" + letter.source());
        return source != null
                ? source.replay(letter)
                : CompletableFuture.failedFuture(new IllegalStateException(
                        "no route takes orders from orders:" + kind + ":" + letter.source() + " at present"));
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        open.values().forEach(OrderSource::close);
    }
}
