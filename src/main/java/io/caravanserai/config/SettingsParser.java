package io.caravanserai.config;

import io.caravanserai.config.HubSettings.Events.Bus;
import io.caravanserai.config.HubSettings.Kafka.Mode;
import io.caravanserai.event.EventType;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.order.Style;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Pattern;

/** Builds {@link HubSettings} from texts and collects all faults of the texts. Not thread-safe. */
final class SettingsParser {
    private static final Pattern LOGIN_IN_URL = Pattern.compile(":.*@");

    private final Map<String, String> values;
    private final Path defaultRoutes;
    private final List<String> faults;

    SettingsParser(Map<String, String> values, Path defaultRoutes, List<String> faults) {
        this.values = values;
        this.defaultRoutes = defaultRoutes;
        this.faults = faults;
    }

    /** Valid only if no faults were added. */
    HubSettings parse() {
        HubSettings settings = new HubSettings(
                value(Settings.DATA_DIR),
                value(Settings.ROUTES_DIR).orElse(defaultRoutes),
                value(Settings.NODE_ID).orElseGet(SettingsParser::newNodeId),
                value(Settings.NAME),
                value(Settings.ORDERS_STYLE),
                value(Settings.SHIPPING_COUNTRIES),
                new HubSettings.Http(
                        value(Settings.HTTP_HOST),
                        value(Settings.HTTP_PORT),
                        value(Settings.HTTP_WAIT),
                        value(Settings.HTTP_REQUEST_TIMEOUT),
                        value(Settings.HTTP_IDLE_TIMEOUT),
                        value(Settings.HTTP_STREAMS)),
                new HubSettings.Store(
                        value(Settings.STORE_URL), value(Settings.STORE_USER), value(Settings.STORE_PASSWORD)),
                new HubSettings.Jms(value(Settings.JMS_URL), value(Settings.JMS_PORT)),
                kafka(),
                new HubSettings.Events(value(Settings.EVENTS_BUS), emit(), value(Settings.EVENTS_RETENTION)),
                new HubSettings.Saga(
                        value(Settings.SAGA_TIMEOUT),
                        value(Settings.SAGA_COMPENSATION_ATTEMPTS),
                        value(Settings.SAGA_COMPENSATION_BACKOFF)),
                new HubSettings.Flows(value(Settings.FLOWS_ALLOWED_COMPONENTS)),
                mail(),
                new HubSettings.Security(value(Settings.SECURITY_API_KEYS)),
                log());
        if (faults.isEmpty()) {
            crossCheck(settings);
        }
        return settings;
    }

    private void crossCheck(HubSettings settings) {
        checkStyle(settings);
        String host = settings.http().host();
        if (settings.security().keys().isEmpty() && !isLoopback(host)) {
            faults.add(Settings.HTTP_HOST.key() + "=" + host + " can be reached from other machines, so "
                    + Settings.SECURITY_API_KEYS.key() + " must be set (or listen on 127.0.0.1)");
        }
        if (settings.events().bus() == Bus.KAFKA && settings.kafka().mode() == Mode.OFF) {
            faults.add(Settings.EVENTS_BUS.key() + "=kafka needs " + Settings.KAFKA_BROKERS.key()
                    + " to be embedded or host:9092,...");
        }
    }

    private void checkStyle(HubSettings settings) {
        OrderStyle style = settings.style();
        if (!(style instanceof Style) && !Files.exists(settings.routesDir().resolve(style.flow() + ".camel.yaml"))) {
            faults.add(Settings.ORDERS_STYLE.key() + "=" + style.wire() + " cannot be read: it must be "
                    + SettingValues.STYLES + " in " + settings.routesDir() + " (" + Settings.ROUTES_DIR.key() + ")");
        }
    }

    private boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            faults.add(Settings.HTTP_HOST.key() + "=" + host + " is not an address of this machine");
            return true;
        }
    }

    private <T> T value(Setting<T> setting) {
        String text = values.getOrDefault(setting.key(), setting.defaultText());
        // After a fault the default is used, to find further faults.
        return parse(setting.key(), text, setting::parse).orElseGet(() -> setting.parse(setting.defaultText()));
    }

    private <T> Optional<T> parse(String key, String text, Function<String, T> parser) {
        try {
            return Optional.of(parser.apply(text));
        } catch (UnreadableValueException e) {
            // The login of a URL is hidden. Hashes of keys are not secret; every text is a readable password, so a
            // password never fails here.
            faults.add(key + "=" + LOGIN_IN_URL.matcher(text).replaceFirst(":***@") + " cannot be read: it must be "
                    + e.getMessage());
            return Optional.empty();
        }
    }

    /** Returns the values of a family by the name at the end of the key. */
    private <T> Map<String, T> family(SettingFamily<T> family) {
        Map<String, T> parsed = new TreeMap<>();
        values.forEach((key, text) -> family.nameIn(key)
                .ifPresent(name -> parse(key, text, each -> family.parser().apply(name, each))
                        .ifPresent(value -> parsed.put(name, value))));
        return Map.copyOf(parsed);
    }

    private HubSettings.Log log() {
        return new HubSettings.Log(value(Settings.LOG_FORMAT), value(Settings.LOG_LEVEL), family(Settings.LOG_LEVELS));
    }

    private Map<EventType, List<Integer>> emit() {
        Map<EventType, List<Integer>> emit = new EnumMap<>(EventType.class);
        family(Settings.EVENTS_EMIT).forEach((type, versions) -> emit.put(EventType.valueOf(type), versions));
        return emit;
    }

    private HubSettings.Kafka kafka() {
        int port = value(Settings.KAFKA_PORT);
        String brokers = value(Settings.KAFKA_BROKERS);
        if (brokers.equals("off")) {
            return new HubSettings.Kafka(Mode.OFF, "", port);
        }
        return brokers.equals("embedded")
                ? new HubSettings.Kafka(Mode.EMBEDDED, "", port)
                : new HubSettings.Kafka(Mode.OUTSIDE, brokers, port);
    }

    private Optional<HubSettings.Mail> mail() {
        Optional<URI> url = value(Settings.MAIL_URL);
        Optional<String> user = value(Settings.MAIL_USER);
        Optional<String> password = value(Settings.MAIL_PASSWORD);
        Optional<String> from = value(Settings.MAIL_FROM);
        String to = value(Settings.MAIL_TO);
        if (url.isPresent() && !values.containsKey(Settings.MAIL_FROM.key())) {
            faults.add(Settings.MAIL_URL.key() + " needs " + Settings.MAIL_FROM.key());
        }
        if (user.isPresent() != password.isPresent()) {
            faults.add(Settings.MAIL_USER.key() + " and " + Settings.MAIL_PASSWORD.key() + " need each other");
        }
        return url.map(server -> new HubSettings.Mail(
                server, user.map(name -> new HubSettings.Login(name, password.orElse(""))), from.orElse(""), to));
    }

    private static String newNodeId() {
        return "hub-" + UUID.randomUUID().toString().substring(0, 8);
    }
}
