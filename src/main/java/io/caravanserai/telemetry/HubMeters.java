package io.caravanserai.telemetry;

import com.sun.management.OperatingSystemMXBean;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventType;
import io.caravanserai.event.OrderEvent;
import io.caravanserai.saga.SagaStatus;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.component.micrometer.routepolicy.MicrometerRoutePolicyConfiguration;
import org.apache.camel.component.micrometer.routepolicy.MicrometerRoutePolicyFactory;

/** The meters of one hub. Thread-safe. */
public final class HubMeters implements AutoCloseable {
    private final PrometheusMeterRegistry registry = emptyRegistry();
    private final JvmGcMetrics garbage = new JvmGcMetrics();
    /** Bound on the orders in memory for timing. Orders above the bound are not timed. */
    private static final int MAX_TIMED_ORDERS = 100_000;

    private static final Duration[] ORDER_BUCKETS = Stream.of(
                    10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000)
            .map(Duration::ofMillis)
            .toArray(Duration[]::new);

    private final Map<String, Instant> createdAt = new ConcurrentHashMap<>();
    private final MultiGauge openOrders = MultiGauge.builder("hub.orders.open")
            .description("Orders that have not ended, by style")
            .register(registry);
    private final AtomicLong oldestOrder = new AtomicLong();
    private final MultiGauge outbox = MultiGauge.builder("hub.outbox.pending")
            .description("Events that are still to be sent, by destination")
            .register(registry);
    private final MultiGauge outboxOldest = MultiGauge.builder("hub.outbox.oldest")
            .description("Age of the oldest event that is still to be sent, by destination; 0 when there is none")
            .baseUnit("seconds")
            .register(registry);
    private final MultiGauge flowOrders = MultiGauge.builder("hub.flow.orders")
            .description("Orders that have not ended, by the version of the flow that carries them")
            .register(registry);
    private final MultiGauge deadLetters = MultiGauge.builder("hub.dead.letters")
            .description("Dead letters that wait for somebody, by source and reason")
            .register(registry);
    private final Map<SagaStatus, AtomicLong> openSagas = new EnumMap<>(SagaStatus.class);

    /** Filters are set before the first meter is registered: Micrometer warns of later filters. */
    private static PrometheusMeterRegistry emptyRegistry() {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        // Prometheus has no nanosecond unit; process.cpu in seconds replaces this meter.
        registry.config().meterFilter(MeterFilter.denyNameStartsWith("process.cpu.time"));
        // Camel registers its version under this name, without a description.
        registry.config().meterFilter(MeterFilter.denyNameStartsWith("app.info"));
        return registry;
    }

    public HubMeters() {
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ClassLoaderMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system) {
            FunctionCounter.builder("process.cpu", system, each -> each.getProcessCpuTime() / 1e9)
                    .description("CPU time that the process has used")
                    .baseUnit("seconds")
                    .register(registry);
        }
        new UptimeMetrics().bindTo(registry);
        garbage.bindTo(registry);
        Gauge.builder("hub.oldest.open.order", oldestOrder, AtomicLong::doubleValue)
                .description("Age of the oldest order that has not ended; 0 when there is none")
                .baseUnit("seconds")
                .register(registry);
        for (SagaStatus status : SagaStatus.values()) {
            if (!status.isEnd()) {
                AtomicLong count = new AtomicLong();
                openSagas.put(status, count);
                Gauge.builder("hub.sagas.open", count, AtomicLong::doubleValue)
                        .description("Sagas that have not ended, by status; STUCK ones wait for a person")
                        .tag("status", status.name())
                        .register(registry);
            }
        }
    }

    /**
     * Meters each route that is added to the context from now on, under names that begin with {@code camel_}. The meters
     * of a route go with the route, so that edits of flows leave none behind.
     */
    public void watch(CamelContext context) {
        MicrometerRoutePolicyFactory routes = new MicrometerRoutePolicyFactory();
        routes.setMeterRegistry(registry);
        MicrometerRoutePolicyConfiguration configuration = new MicrometerRoutePolicyConfiguration();
        // The sum over all routes would count an order once for each of its routes.
        configuration.setContextEnabled(false);
        routes.setPolicyConfiguration(configuration);
        context.addRoutePolicyFactory(routes);
    }

    /** Registers the gauge of an invariant: 1 while the invariant holds, else 0. */
    public void invariant(String name, BooleanSupplier holds) {
        Gauge.builder("hub.invariant.ok", holds, each -> each.getAsBoolean() ? 1 : 0)
                .description("Whether a law holds for all orders that have ended: 1, or 0 when one violates it")
                .tag("name", name)
                .strongReference(true)
                .register(registry);
    }

    /** The registry, for other meters. */
    public PrometheusMeterRegistry registry() {
        return registry;
    }

    /** Call with each event once the event is durable; never blocks. */
    public void happened(OrderEvent event) {
        Counter.builder("hub.events")
                .description("Events recorded, by type")
                .tag("type", event.type().name())
                .register(registry)
                .increment();
        if (event.type() == EventType.OrderCreated) {
            if (createdAt.size() < MAX_TIMED_ORDERS) {
                createdAt.put(event.orderId(), event.time());
            }
        } else if (event.type() == EventType.OrderShipped) {
            ended(event, "SHIPPED", "");
        } else if (event.data() instanceof EventData.OrderCancelled cancelled) {
            ended(event, "CANCELLED", cancelled.reason().wire());
        }
    }

    /** Call for each order that an ingress has accepted, once the order is durable. */
    public void started(String style, String ingress) {
        Counter.builder("hub.orders.started")
                .description("Orders taken in, by style and ingress")
                .tags("style", style, "ingress", ingress)
                .register(registry)
                .increment();
    }

    private void ended(OrderEvent event, String status, String reason) {
        String style =
                event.context().style() == null ? "" : event.context().style().wire();
        Counter.builder("hub.orders.ended")
                .description("Orders that ended, by style, status and reason")
                .tags("style", style, "status", status, "reason", reason)
                .register(registry)
                .increment();
        Instant created = createdAt.remove(event.orderId());
        if (created != null) {
            Timer.builder("hub.order")
                    .description(
                            "Time from creating an order to its end; orders begun by an earlier process are not timed")
                    .serviceLevelObjectives(ORDER_BUCKETS)
                    .tag("style", style)
                    .register(registry)
                    .record(Duration.between(created, event.time()));
        }
    }

    /** Sets the gauges of open work. */
    public void open(OpenWork work) {
        openSagas(work.sagas());
        openOrders.register(
                work.orders().entrySet().stream()
                        .map(each -> MultiGauge.Row.of(Tags.of("style", each.getKey()), each.getValue()))
                        .toList(),
                true);
        oldestOrder.set(work.oldestOrderSeconds());
        outbox.register(
                work.outbox().entrySet().stream()
                        .map(each -> MultiGauge.Row.of(Tags.of("destination", each.getKey()), each.getValue()))
                        .toList(),
                true);
        outboxOldest.register(
                work.outboxOldestSeconds().entrySet().stream()
                        .map(each -> MultiGauge.Row.of(Tags.of("destination", each.getKey()), each.getValue()))
                        .toList(),
                true);
        flowOrders.register(
                work.flows().stream()
                        .map(each -> MultiGauge.Row.of(
                                Tags.of("flow", each.flow(), "version", String.valueOf(each.version())), each.orders()))
                        .toList(),
                true);
        deadLetters.register(
                work.deadLetters().stream()
                        .map(each -> MultiGauge.Row.of(
                                Tags.of("source", each.source(), "reason", each.reason()), each.count()))
                        .toList(),
                true);
    }

    /** Sets the numbers of open sagas; an absent status counts as 0. */
    private void openSagas(Map<SagaStatus, Long> counts) {
        openSagas.forEach((status, gauge) -> gauge.set(counts.getOrDefault(status, 0L)));
    }

    /** All meters in the Prometheus text format. */
    public String scrape() {
        return registry.scrape();
    }

    @Override
    public void close() {
        garbage.close();
        registry.close();
    }
}
