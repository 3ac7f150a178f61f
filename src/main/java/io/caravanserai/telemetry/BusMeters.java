package io.caravanserai.telemetry;

import io.caravanserai.bus.EventBusListener;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventVersions;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Counts what passes over the bus, and which consumers still hear deprecated versions. */
public final class BusMeters implements EventBusListener {
    private final MeterRegistry registry;
    private final Counter published;
    /** By the names of their tags: looking a counter up in the registry costs more than counting. */
    private final Map<String, Counter> heard = new ConcurrentHashMap<>();

    public BusMeters(MeterRegistry registry) {
        this.registry = registry;
        this.published = Counter.builder("hub.events.published")
                .description("Events the bus took durably")
                .register(registry);
    }

    @Override
    public void heard(String subscriber, CloudEvent event, int version) {
        heard.computeIfAbsent(
                        subscriber + '/' + event.type(),
                        name -> Counter.builder("hub.events.heard")
                                .description("Events that reached a subscriber")
                                .tag("subscriber", subscriber)
                                .tag("type", event.type().name())
                                .register(registry))
                .increment();
        if (version < EventVersions.newest(event.type())) {
            Counter.builder("hub.events.deprecated")
                    .description("Events that reached a subscriber in a deprecated version")
                    .tag("subscriber", subscriber)
                    .tag("type", event.type().name())
                    .tag("version", "v" + version)
                    .register(registry)
                    .increment();
        }
    }

    @Override
    public void retrying(String subscriber, CloudEvent event, int attempt, Throwable cause) {
        Counter.builder("hub.events.retried")
                .description("Attempts to handle an event that failed and were made again")
                .tag("subscriber", subscriber)
                .tag("type", event.type().name())
                .register(registry)
                .increment();
    }

    @Override
    public void deadLettered(String subscriber, String reason) {
        Counter.builder("hub.events.dead.lettered")
                .description("Messages that a subscriber gave up")
                .tag("subscriber", subscriber)
                .tag("reason", reason)
                .register(registry)
                .increment();
    }

    @Override
    public void published(int events) {
        published.increment(events);
    }
}
