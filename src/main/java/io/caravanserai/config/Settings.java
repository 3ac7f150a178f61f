package io.caravanserai.config;

import io.caravanserai.config.HubSettings.ApiKey;
import io.caravanserai.config.HubSettings.Events.Bus;
import io.caravanserai.config.HubSettings.Log;
import io.caravanserai.event.EventType;
import io.caravanserai.order.OrderStyle;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.commons.text.similarity.LevenshteinDistance;

/**
 * All settings of the hub. Declare a new setting here and add a field in {@link HubSettings}. A test checks that
 * {@code application.properties} and the table in the README match this class.
 */
public final class Settings {
    private static final List<Setting<?>> ALL = new ArrayList<>();

    public static final Setting<String> HTTP_HOST = setting(
            "hub.http.host",
            "127.0.0.1",
            "Address that the HTTP server listens on. Without API keys only loopback addresses are allowed.",
            SettingValues::text);
    public static final Setting<Integer> HTTP_PORT =
            setting("hub.http.port", "8080", "Port of the HTTP server; 0 takes a free one.", SettingValues::port);
    static final Setting<Duration> HTTP_WAIT = setting(
            "hub.http.wait",
            "10s",
            "How long a POST of an order waits for the end of the order before the answer 202.",
            SettingValues::duration);
    static final Setting<Duration> HTTP_REQUEST_TIMEOUT = setting(
            "hub.http.request-timeout",
            "60s",
            "Maximum time from the first to the last byte of a request; then the answer is 408.",
            SettingValues::positive);
    static final Setting<Duration> HTTP_IDLE_TIMEOUT = setting(
            "hub.http.idle-timeout",
            "120s",
            "How long a connection may be idle before the hub closes it. A connection that waits for an answer is not"
                    + " idle.",
            SettingValues::positive);
    static final Setting<Integer> HTTP_STREAMS = setting(
            "hub.http.streams",
            "500",
            "Maximum number of open event streams, over all clients; one more is answered with 503.",
            text -> SettingValues.number(text, 0, 1_000_000));

    static final Setting<Path> DATA_DIR =
            setting("hub.data.dir", "data", "Folder of the database and the broker journal.", SettingValues::path);
    public static final Setting<Optional<Path>> ROUTES_DIR = setting(
            "hub.routes.dir",
            "",
            "Folder of the flows; empty: `routes/` beside the hub, or `src/main/resources/routes` of a checkout.",
            SettingValues.optional(SettingValues::path));
    static final Setting<Optional<String>> NODE_ID = setting(
            "hub.node.id",
            "",
            "Name of this hub among several on one database; empty: generated at start.",
            SettingValues.optional(SettingValues::name));
    static final Setting<String> NAME = setting(
            "hub.name",
            "hub",
            "Name of this hub among several that share a broker or Kafka and have separate stores: the prefix of"
                    + " subscriptions, consumer groups and internal queues. Hubs with the same name would consume the"
                    + " messages of each other.",
            SettingValues::name);

    public static final Setting<Optional<String>> STORE_URL = setting(
            "hub.store.url",
            "",
            "Empty: the embedded database in the data folder. `jdbc:postgresql://host/database` is not supported yet.",
            SettingValues.optional(SettingValues::storeUrl));
    static final Setting<Optional<String>> STORE_USER =
            setting("hub.store.user", "", "User of the database.", SettingValues.optional(SettingValues::text));
    static final Setting<Optional<String>> STORE_PASSWORD = setting(
            "hub.store.password", "", "Password of the database user.", SettingValues.optional(SettingValues::text));

    static final Setting<Optional<String>> JMS_URL = setting(
            "hub.jms.url",
            "embedded",
            "`embedded`, or the URL of a JMS broker: `tcp://host:61616`.",
            SettingValues::jmsUrl);
    public static final Setting<Integer> JMS_PORT = setting(
            "hub.jms.port", "61616", "Port of the embedded JMS broker; 0 takes a free one.", SettingValues::port);

    static final Setting<String> KAFKA_BROKERS = setting(
            "hub.kafka.brokers",
            "off",
            "`off`, `embedded` (a real broker in this process, for trials), or `host:9092,...`",
            SettingValues::brokers);
    static final Setting<Integer> KAFKA_PORT = setting(
            "hub.kafka.port", "9092", "Port of the embedded Kafka broker; 0 takes a free one.", SettingValues::port);

    static final Setting<Bus> EVENTS_BUS = setting(
            "hub.events.bus",
            "jms",
            "Carries events between services: `jms` or `kafka`. With Kafka on, events go to Kafka too.",
            SettingValues::bus);
    static final SettingFamily<List<Integer>> EVENTS_EMIT = new SettingFamily<>(
            "hub.events.emit.",
            "<Type>",
            "OrderCreated=v1,v2",
            "Emitted version or versions of an event, by type. Default: the newest.",
            SettingValues::versions);
    static final Setting<Duration> EVENTS_RETENTION = setting(
            "hub.events.retention",
            "30d",
            "How long the hub keeps events and histories of ended orders, at least 1d.",
            SettingValues::retention);

    static final Setting<Set<String>> FLOWS_ALLOWED_COMPONENTS = setting(
            "hub.flows.allowed-components",
            "",
            "Allowed in flows: components, `bean:NAME`, `language:NAME`, comma separated; empty: all. Always allowed are"
                    + " `direct`, `saga`, `events`, Kamelets (a Kamelet that calls a service needs `outside`, `http`,"
                    + " `jms` or `kafka`) and the languages `constant`, `header`, `exchangeProperty`, `variable`.",
            SettingValues::components);

    static final Setting<OrderStyle> ORDERS_STYLE = setting(
            "hub.orders.style",
            "request-reply",
            "Style of orders without a style: `request-reply`, `queue`, `pubsub`, `choreography`, or NAME of a flow"
                    + " `order-NAME.camel.yaml`.",
            SettingValues::style);
    static final Setting<Set<String>> SHIPPING_COUNTRIES = setting(
            "hub.shipping.countries",
            "",
            "Countries that orders are shipped to, as ISO 3166-1 alpha-2 codes, comma separated; empty: every country but"
                    + " AQ.",
            SettingValues::countries);

    static final Setting<Duration> SAGA_TIMEOUT = setting(
            "hub.saga.timeout",
            "60s",
            "Age at which an unfinished saga is compensated. Time in which no hub ran does not count.",
            SettingValues::positive);
    static final Setting<Integer> SAGA_COMPENSATION_ATTEMPTS = setting(
            "hub.saga.compensation.attempts",
            "10",
            "Attempts of a compensation before the saga is STUCK and an operator must act.",
            text -> SettingValues.number(text, 1, 1_000_000));
    static final Setting<Duration> SAGA_COMPENSATION_BACKOFF = setting(
            "hub.saga.compensation.backoff",
            "100ms",
            "Delay before the second attempt of a compensation; doubles up to 30s.",
            SettingValues::positive);

    static final Setting<Optional<URI>> MAIL_URL = setting(
            "hub.notification.mail.url",
            "",
            "Mail server for [mail to customers](docs/operations.md#mail-to-customers): `smtp://host:587` or"
                    + " `smtps://host:465`. Empty: messages go to the file `notifications.jsonl`.",
            SettingValues.optional(SettingValues::mailUrl));
    static final Setting<Optional<String>> MAIL_USER = setting(
            "hub.notification.mail.user",
            "",
            "User of the mail server; empty: no login.",
            SettingValues.optional(SettingValues::text));
    static final Setting<Optional<String>> MAIL_PASSWORD = setting(
            "hub.notification.mail.password",
            "",
            "Password of the mail server user.",
            SettingValues.optional(SettingValues::text));
    static final Setting<Optional<String>> MAIL_FROM = setting(
            "hub.notification.mail.from",
            "",
            "Sender of mail to customers, for example orders@shop.example.",
            SettingValues.optional(SettingValues::mailFrom));
    static final Setting<String> MAIL_TO = setting(
            "hub.notification.mail.to",
            "{customerId}",
            "Address of a customer, built from the customer id, for example {customerId}@customers.example.",
            SettingValues::mailTo);

    static final Setting<Log.Format> LOG_FORMAT = setting(
            "hub.log.format",
            "text",
            "Form of the log: `text`, or `json` with one object a line.",
            SettingValues::logFormat);
    static final Setting<String> LOG_LEVEL = setting(
            "hub.log.level",
            "info",
            "Level of log lines of the hub and of log steps in flows: trace, debug, info, warn, error, off. Libraries"
                    + " log from warn.",
            SettingValues::logLevel);
    static final SettingFamily<String> LOG_LEVELS = new SettingFamily<>(
            "hub.log.level.",
            "<package>",
            "org.apache.camel=info",
            "Level of one package, or of the flow NAME as flow.NAME: the default logger of log steps in the flow.",
            (name, text) -> SettingValues.logLevel(text));

    public static final Setting<List<ApiKey>> SECURITY_API_KEYS = setting(
            "hub.security.api-keys",
            "",
            "`name:role:sha256`, comma separated, with the SHA-256 of the key in lower-case hex (`printf %s \"$KEY\" |"
                    + " sha256sum`) and one of the [roles](docs/operations.md#keys-and-roles) viewer, sender, operator.",
            SettingValues::keys);

    private Settings() {}

    /** Returns all settings with a fixed key, in the order of the documentation. */
    static List<Setting<?>> all() {
        return List.copyOf(ALL);
    }

    /** Returns the setting families, with a name at the end of each key. */
    static List<SettingFamily<?>> families() {
        return List.of(EVENTS_EMIT, LOG_LEVELS);
    }

    static boolean isKnown(String key) {
        return fixedKeys().anyMatch(key::equals) || LOG_LEVELS.nameIn(key).isPresent();
    }

    /** Returns all keys except the keys of {@link #LOG_LEVELS}, which end with any name. */
    static Stream<String> fixedKeys() {
        return Stream.concat(
                ALL.stream().map(Setting::key),
                Arrays.stream(EventType.values()).map(type -> EVENTS_EMIT.prefix() + type));
    }

    /** Returns the known key with the smallest edit distance. */
    static String nearest(String key) {
        LevenshteinDistance distance = LevenshteinDistance.getDefaultInstance();
        return fixedKeys()
                .min(Comparator.comparingInt(known -> distance.apply(known, key)))
                .orElseThrow();
    }

    private static <T> Setting<T> setting(String key, String defaultText, String meaning, Function<String, T> parser) {
        Setting<T> setting = new Setting<>(key, defaultText, meaning, parser);
        ALL.add(setting);
        return setting;
    }
}
