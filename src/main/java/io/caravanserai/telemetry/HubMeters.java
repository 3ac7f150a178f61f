package io.caravanserai.telemetry;

import io.caravanserai.event.EventData;
import io.caravanserai.event.EventType;
import io.caravanserai.event.OrderEvent;
import io.caravanserai.saga.SagaStatus;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/** The meters of one hub. Thread-safe. */
public final class HubMeters implements AutoCloseable {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics garbage = new JvmGcMetrics();
    private final Map<SagaStatus, AtomicLong> openSagas = new EnumMap<>(SagaStatus.class);

    public HubMeters() {
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ClassLoaderMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        garbage.bindTo(registry);
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

    /** Watches whether a law holds for all orders: 1 while it does. */
    public void invariant(String name, BooleanSupplier holds) {
        Gauge.builder("hub.invariant.ok", holds, each -> each.getAsBoolean() ? 1 : 0)
                .description("Whether a law holds for all orders that have ended: 1, or 0 when one violates it")
                .tag("name", name)
                .strongReference(true)
                .register(registry);
    }

    /** For other meters. */
    public PrometheusMeterRegistry registry() {
        return registry;
    }

    /** To be told of each event once it is durable; never blocks. */
    public void happened(OrderEvent event) {
        registry.counter("hub.events", "type", event.type().name()).increment();
        if (event.type() == EventType.OrderShipped) {
            ended("SHIPPED", "");
        } else if (event.data() instanceof EventData.OrderCancelled cancelled) {
            ended("CANCELLED", cancelled.reason().wire());
        }
    }

    private void ended(String status, String reason) {
        registry.counter("hub.orders.ended", "status", status, "reason", reason).increment();
    }

    /** Sets how many sagas are open; statuses that are absent have none. */
    public void openSagas(Map<SagaStatus, Long> counts) {
        openSagas.forEach((status, gauge) -> gauge.set(counts.getOrDefault(status, 0L)));
    }

    /** Everything in Prometheus' text format. */
    public String scrape() {
        return registry.scrape();
    }

    @Override
    public void close() {
        garbage.close();
        registry.close();
    }
}
