package io.caravanserai.app;

import io.caravanserai.config.HubSettings;
import io.caravanserai.order.Style;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Settings for tests: free ports, a separate folder, the flows of the checkout. */
public final class TestSettings {

    private TestSettings() {}

    /** The defaults except folder and ports. */
    public static HubSettings in(Path folder) {
        return in(folder, new HubSettings.Saga(Duration.ofSeconds(60), 10, Duration.ofMillis(100)));
    }

    public static HubSettings in(Path folder, HubSettings.Saga saga) {
        return in(folder, Path.of("src/main/resources/routes"), saga);
    }

    public static HubSettings in(Path folder, Path routes, HubSettings.Saga saga) {
        Set<String> countries = new HashSet<>(List.of(Locale.getISOCountries()));
        countries.remove("AQ");
        return new HubSettings(
                folder,
                routes,
                "test",
                "hub",
                Style.REQUEST_REPLY,
                countries,
                new HubSettings.Http(
                        "127.0.0.1", 0, Duration.ofSeconds(10), Duration.ofSeconds(60), Duration.ofSeconds(120), 500),
                new HubSettings.Store(Optional.empty(), Optional.empty(), Optional.empty()),
                new HubSettings.Jms(Optional.empty(), 0),
                new HubSettings.Kafka(HubSettings.Kafka.Mode.OFF, "", 0),
                new HubSettings.Events(HubSettings.Events.Bus.JMS, Map.of(), Duration.ofDays(30)),
                saga,
                new HubSettings.Flows(Set.of()),
                Optional.empty(),
                new HubSettings.Security(List.of()),
                HubSettings.Log.DEFAULT);
    }
}
