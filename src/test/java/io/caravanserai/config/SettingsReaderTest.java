package io.caravanserai.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.caravanserai.config.HubSettings.Events.Bus;
import io.caravanserai.config.HubSettings.Kafka.Mode;
import io.caravanserai.config.HubSettings.Role;
import io.caravanserai.event.EventType;
import io.caravanserai.order.Style;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsReaderTest {
    private static final Path ROUTES = Path.of("usual-routes");
    private static final String HASH = "a".repeat(64);

    @Test
    void nothingSetGivesTheDefaultsOfTheContract() {
        HubSettings settings = read(Map.of());

        assertThat(settings.http())
                .isEqualTo(new HubSettings.Http(
                        "127.0.0.1",
                        8080,
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(120),
                        500));
        assertThat(settings.dataDir()).isEqualTo(Path.of("data"));
        assertThat(settings.routesDir()).isEqualTo(ROUTES);
        assertThat(settings.store().url()).isEmpty();
        assertThat(settings.jms().isEmbedded()).isTrue();
        assertThat(settings.jms().port()).isEqualTo(61616);
        assertThat(settings.kafka()).isEqualTo(new HubSettings.Kafka(Mode.OFF, "", 9092));
        assertThat(settings.events()).isEqualTo(new HubSettings.Events(Bus.JMS, Map.of(), Duration.ofDays(30)));
        assertThat(settings.style()).isEqualTo(Style.REQUEST_REPLY);
        assertThat(settings.saga()).isEqualTo(new HubSettings.Saga(Duration.ofSeconds(60), 10, Duration.ofMillis(100)));
        assertThat(settings.shippingCountries())
                .contains("NL", "AX")
                .doesNotContain("AQ")
                .hasSizeGreaterThan(240);
        assertThat(settings.mail()).isEmpty();
        assertThat(settings.security().keys()).isEmpty();
        assertThat(settings.nodeId())
                .startsWith("hub-")
                .isNotEqualTo(read(Map.of()).nodeId());
    }

    @Test
    void everySettingCanBeSet() {
        HubSettings settings = read(Map.ofEntries(
                Map.entry("hub.http.host", "0.0.0.0"),
                Map.entry("hub.http.port", "0"),
                Map.entry("hub.http.wait", "0s"),
                Map.entry("hub.data.dir", "/var/hub"),
                Map.entry("hub.routes.dir", "/etc/routes"),
                Map.entry("hub.node.id", "node-1"),
                Map.entry("hub.name", "east"),
                Map.entry("hub.store.url", "jdbc:postgresql://db/hub"),
                Map.entry("hub.store.user", "u"),
                Map.entry("hub.store.password", "p"),
                Map.entry("hub.jms.url", "tcp://broker:61616?x=y"),
                Map.entry("hub.jms.port", "1"),
                Map.entry("hub.kafka.brokers", "a:9092,b:9093"),
                Map.entry("hub.kafka.port", "2"),
                Map.entry("hub.events.bus", "kafka"),
                Map.entry("hub.events.emit.OrderCreated", "v1, v2"),
                Map.entry("hub.events.retention", "7d"),
                Map.entry("hub.orders.style", "pubsub"),
                Map.entry("hub.shipping.countries", "NL, DE"),
                Map.entry("hub.saga.timeout", "1m"),
                Map.entry("hub.saga.compensation.attempts", "3"),
                Map.entry("hub.saga.compensation.backoff", "250ms"),
                Map.entry("hub.http.request-timeout", "7s"),
                Map.entry("hub.http.idle-timeout", "3m"),
                Map.entry("hub.http.streams", "12"),
                Map.entry("hub.notification.mail.url", "smtps://mail.example:465"),
                Map.entry("hub.notification.mail.user", "hub"),
                Map.entry("hub.notification.mail.password", "secret"),
                Map.entry("hub.notification.mail.from", "orders@shop.example"),
                Map.entry("hub.notification.mail.to", "{customerId}@customers.example"),
                Map.entry("hub.security.api-keys", "ann:operator:" + HASH + ",bo:viewer:" + HASH)));

        assertThat(settings)
                .isEqualTo(new HubSettings(
                        Path.of("/var/hub"),
                        Path.of("/etc/routes"),
                        "node-1",
                        "east",
                        Style.PUBSUB,
                        Set.of("NL", "DE"),
                        new HubSettings.Http(
                                "0.0.0.0", 0, Duration.ZERO, Duration.ofSeconds(7), Duration.ofMinutes(3), 12),
                        new HubSettings.Store(
                                Optional.of("jdbc:postgresql://db/hub"), Optional.of("u"), Optional.of("p")),
                        new HubSettings.Jms(Optional.of("tcp://broker:61616?x=y"), 1),
                        new HubSettings.Kafka(Mode.OUTSIDE, "a:9092,b:9093", 2),
                        new HubSettings.Events(
                                Bus.KAFKA, Map.of(EventType.OrderCreated, List.of(1, 2)), Duration.ofDays(7)),
                        new HubSettings.Saga(Duration.ofMinutes(1), 3, Duration.ofMillis(250)),
                        new HubSettings.Flows(Set.of()),
                        Optional.of(new HubSettings.Mail(
                                URI.create("smtps://mail.example:465"),
                                Optional.of(new HubSettings.Login("hub", "secret")),
                                "orders@shop.example",
                                "{customerId}@customers.example")),
                        new HubSettings.Security(List.of(
                                new HubSettings.ApiKey("ann", Role.OPERATOR, HASH),
                                new HubSettings.ApiKey("bo", Role.VIEWER, HASH))),
                        HubSettings.Log.DEFAULT));
    }

    @Test
    void systemPropertiesOverrideEnvironmentAndEnvironmentOverridesFile() {
        Map<String, String> file =
                Map.of("hub.http.port", "1", "hub.jms.port", "1", "hub.kafka.port", "1", "hub.node.id", "of-file");
        SettingsReader reader = new SettingsReader(
                Map.of("HUB_HTTP_PORT", "2", "HUB_JMS_PORT", "2", "HUB_NODE_ID", ""), Map.of("hub.http.port", "3"));

        HubSettings settings = reader.read(file, ROUTES).settings();

        assertThat(settings.http().port()).isEqualTo(3);
        assertThat(settings.jms().port()).isEqualTo(2);
        assertThat(settings.kafka().port()).isEqualTo(1);
        assertThat(settings.nodeId()).isEqualTo("of-file");
    }

    @Test
    void keysWithDashesAndTypesHaveVariables() {
        SettingsReader reader = new SettingsReader(
                Map.of("HUB_SECURITY_API_KEYS", "ann:sender:" + HASH, "HUB_EVENTS_EMIT_ORDERSHIPPED", "1"), Map.of());

        HubSettings settings = reader.read(Map.of(), ROUTES).settings();

        assertThat(settings.security().keys()).hasSize(1);
        assertThat(settings.events().emit()).containsEntry(EventType.OrderShipped, List.of(1));
    }

    @Test
    void unknownVariableLogsWarning() {
        SettingsReader reader = new SettingsReader(Map.of("HUB_HTTP_PROT", "1", "HUBBLE", "x"), Map.of());

        assertThat(reader.read(Map.of(), ROUTES).warnings())
                .containsExactly("unknown environment variable HUB_HTTP_PROT is ignored; did you mean HUB_HTTP_PORT?");
    }

    @Test
    void unknownKeyStopsStartWithSuggestion() {
        assertThatThrownBy(() -> read(Map.of("hub.http.prot", "1")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("hub.http.prot")
                .hasMessageContaining("did you mean hub.http.port?");
        assertThatThrownBy(() -> new SettingsReader(Map.of(), Map.of("hub.saga.timeuot", "1s")).read(Map.of(), ROUTES))
                .hasMessageContaining("hub.saga.timeuot as a system property")
                .hasMessageContaining("did you mean hub.saga.timeout?");
        assertThatThrownBy(() -> read(Map.of("hub.events.emit.OrderCreatd", "v1")))
                .hasMessageContaining("did you mean hub.events.emit.OrderCreated?");
    }

    @Test
    void keysWithoutHubPrefixAreIgnored() {
        assertThat(read(Map.of("camel.main.name", "x", "hubert", "y"))).isNotNull();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            hub.http.port                  | 65536
            hub.http.port                  | -1
            hub.http.port                  | http
            hub.http.port                  | ''
            hub.http.wait                  | 10
            hub.http.wait                  | ten seconds
            hub.http.wait                  | -1s
            hub.saga.timeout               | 0s
            hub.saga.timeout               | 1w
            hub.events.retention           | 1h
            hub.saga.compensation.attempts | 0
            hub.saga.compensation.attempts | 1.5
            hub.saga.compensation.backoff  | 0ms
            hub.orders.style               | rpc
            hub.events.bus                 | pigeon
            hub.events.emit.OrderCreated   | newest
            hub.events.emit.OrderCreated   | ''
            hub.events.emit.OrderCreated   | v99
            hub.kafka.brokers              | localhost
            hub.kafka.brokers              | a:1 b:2
            hub.jms.url                    | localhost
            hub.store.url                  | jdbc:h2:mem:x
            hub.shipping.countries         | NL,XX
            hub.node.id                    | a/b
            hub.notification.mail.url      | http://mail.example:25
            hub.notification.mail.url      | smtp://mail.example
            hub.notification.mail.url      | smtp://mail.example:25/x
            hub.notification.mail.url      | mail.example
            hub.notification.mail.from     | Shop
            hub.notification.mail.to       | {customer}
            hub.notification.mail.to       | ${customerId}@customers.example
            hub.notification.mail.to       | {customerId} <x@customers.example>
            hub.security.api-keys          | ann
            hub.security.api-keys          | ann:owner:aaaa
            hub.security.api-keys          | ann:viewer:AAAA
            """)
    void aValueThatCannotBeReadStopsTheStartAndNamesItsKey(String key, String value) {
        assertThatThrownBy(() -> read(Map.of(key, value)))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining(key + "=" + value + " cannot be read: it must be ");
    }

    @ParameterizedTest
    @CsvSource({"smtp://hub:s3cret@mail.example:587", "smtp:hub:s3cret@mail.example", "ftp://hub:s3@cret@mail:1"})
    void misplacedPasswordIsHiddenInFault(String url) {
        assertThatThrownBy(() -> read(Map.of("hub.notification.mail.url", url)))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("hub.notification.mail.url=")
                .hasMessageNotContainingAny("s3cret", "s3", "cret@");
    }

    @Test
    void mailNeedsASenderAndAWholeLogin() {
        assertThatThrownBy(() -> read(Map.of("hub.notification.mail.url", "smtp://mail.example:587")))
                .hasMessageContaining("hub.notification.mail.url needs hub.notification.mail.from");
        assertThatThrownBy(() -> read(Map.of("hub.notification.mail.password", "s3cret")))
                .hasMessageContaining("hub.notification.mail.user and hub.notification.mail.password need each other")
                .hasMessageNotContaining("s3cret");
    }

    @Test
    void allFaultsAreReportedAtOnce() {
        assertThatThrownBy(() -> read(Map.of("hub.http.prot", "1", "hub.http.wait", "x", "hub.jms.port", "y")))
                .hasMessageContainingAll("hub.http.prot", "hub.http.wait", "hub.jms.port");
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"})
    void withoutKeysLoopbackIsFine(String host) {
        assertThat(read(Map.of("hub.http.host", host)).http().host()).isEqualTo(host);
    }

    @ParameterizedTest
    @CsvSource({"0.0.0.0", "::", "192.168.1.1", "8.8.8.8"})
    void withoutKeysAnyOtherAddressIsRefused(String host) {
        assertThatThrownBy(() -> read(Map.of("hub.http.host", host)))
                .isInstanceOf(SettingsException.class)
                .hasMessageContainingAll("hub.http.host", "hub.security.api-keys");
        assertThat(read(Map.of("hub.http.host", host, "hub.security.api-keys", "ann:viewer:" + HASH)))
                .isNotNull();
    }

    @Test
    void kafkaAsTheBusNeedsBrokers() {
        assertThatThrownBy(() -> read(Map.of("hub.events.bus", "kafka")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContainingAll("hub.events.bus", "hub.kafka.brokers");
        assertThat(read(Map.of("hub.events.bus", "kafka", "hub.kafka.brokers", "embedded"))
                        .kafka()
                        .mode())
                .isEqualTo(Mode.EMBEDDED);
    }

    @Test
    void theHomeFolderHasTheFileAndTheRoutes(@TempDir Path home) throws Exception {
        Files.writeString(home.resolve("application.properties"), "hub.node.id = at-home\n");

        HubSettings settings = new SettingsReader(Map.of(), Map.of("caravanserai.home", home.toString()))
                .read()
                .settings();

        assertThat(settings.nodeId()).isEqualTo("at-home");
        assertThat(settings.routesDir()).isEqualTo(home.resolve("routes"));
    }

    @Test
    void withoutHomeRoutesAreFromCheckout() {
        assertThat(new SettingsReader(Map.of(), Map.of()).read().settings().routesDir())
                .isEqualTo(Path.of("src/main/resources/routes"));
    }

    private static HubSettings read(Map<String, String> file) {
        return new SettingsReader(Map.of(), Map.of()).read(file, ROUTES).settings();
    }
}
