package io.caravanserai.telemetry;

import io.caravanserai.bus.EventBusListener;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventVersions;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Counts published and consumed events, and consumers that still receive deprecated versions. */
public final class BusMeters implements EventBusListener {
    private final MeterRegistry registry;
    private final Clock clock;
    private final Counter published;
    private final Map<String, Timer> ages = new ConcurrentHashMap<>();
    /** Counters by tag values: a registry lookup costs more than the increment. */
    private final Map<String, Counter> heard = new ConcurrentHashMap<>();

    public BusMeters(MeterRegistry registry, Clock clock) {
        this.clock = clock;
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
        age(subscriber, event);
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

    private void age(String subscriber, CloudEvent event) {
        Instant time;
        try {
            time = Instant.parse(String.valueOf(event.attributes().get("time")));
        } catch (DateTimeParseException e) {
            return;
        }
        Duration age = Duration.between(time, clock.instant());
        ages.computeIfAbsent(
                        subscriber,
                        name -> Timer.builder("hub.event.age")
                                .description("Time from recording an event until a subscriber takes it")
                                .serviceLevelObjectives(WorkMeters.BUCKETS)
                                .tag("subscriber", subscriber)
                                .register(registry))
                .record(age.isNegative() ? Duration.ZERO : age);
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
