package io.caravanserai.config;

import io.caravanserai.config.HubSettings.ApiKey;
import io.caravanserai.config.HubSettings.Events.Bus;
import io.caravanserai.config.HubSettings.Kafka.Mode;
import io.caravanserai.config.HubSettings.Role;
import io.caravanserai.event.EventType;
import io.caravanserai.event.EventVersions;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.order.Style;
import io.caravanserai.support.MailAddresses;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Makes settings of texts, and collects what is wrong with them. */
final class SettingsParser {
    private static final List<String> LOG_LEVELS = List.of("trace", "debug", "info", "warn", "error", "off");
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h|d)");
    /** Idempotency keys are kept that long; messages that are still under way must be known again. */
    private static final Duration LEAST_RETENTION = Duration.ofDays(1);

    private static final String STYLES = "one of " + Style.names() + ", or STYLE of a flow order-STYLE.camel.yaml";

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");
    private static final Pattern COMPONENT =
            Pattern.compile("[A-Za-z0-9][A-Za-z0-9+.-]*|(?:bean|language):[A-Za-z0-9_$.#-]+");
    private static final Pattern BROKERS = Pattern.compile("[^\\s,:]+:\\d{1,5}(\\s*,\\s*[^\\s,:]+:\\d{1,5})*");
    private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern LOGIN_IN_URL = Pattern.compile(":.*@");
    private static final Set<String> COUNTRIES = Locale.getISOCountries(Locale.IsoCountryCode.PART1_ALPHA2);

    private final Map<String, String> values;
    private final Path usualRoutes;
    private final List<String> faults;

    SettingsParser(Map<String, String> values, Path usualRoutes, List<String> faults) {
        this.values = values;
        this.usualRoutes = usualRoutes;
        this.faults = faults;
    }

    /** What is wrong with a value, to be put behind its key. */
    private static final class Unreadable extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Unreadable(String wanted) {
            super(wanted, null, false, false);
        }
    }

    /** The settings; only to be used when no faults were added. */
    HubSettings parse() {
        HubSettings settings = new HubSettings(
                value(Setting.DATA_DIR, SettingsParser::path),
                optional(Setting.ROUTES_DIR, SettingsParser::path).orElse(usualRoutes),
                optional(Setting.NODE_ID, SettingsParser::name).orElseGet(SettingsParser::newNodeId),
                value(Setting.NAME, SettingsParser::name),
                value(Setting.ORDERS_STYLE, SettingsParser::style),
                optional(Setting.SHIPPING_COUNTRIES, SettingsParser::countries)
                        .orElseGet(SettingsParser::allButAntarctica),
                new HubSettings.Http(
                        value(Setting.HTTP_HOST, SettingsParser::text),
                        value(Setting.HTTP_PORT, SettingsParser::port),
                        value(Setting.HTTP_WAIT, SettingsParser::duration),
                        value(Setting.HTTP_REQUEST_TIMEOUT, SettingsParser::positive),
                        value(Setting.HTTP_IDLE_TIMEOUT, SettingsParser::positive),
                        value(Setting.HTTP_STREAMS, SettingsParser::streams)),
                new HubSettings.Store(
                        optional(Setting.STORE_URL, SettingsParser::storeUrl),
                        optional(Setting.STORE_USER, SettingsParser::text),
                        optional(Setting.STORE_PASSWORD, SettingsParser::text)),
                new HubSettings.Jms(
                        value(Setting.JMS_URL, SettingsParser::jmsUrl), value(Setting.JMS_PORT, SettingsParser::port)),
                kafka(),
                new HubSettings.Events(
                        value(Setting.EVENTS_BUS, SettingsParser::bus),
                        emit(),
                        value(Setting.EVENTS_RETENTION, SettingsParser::retention)),
                new HubSettings.Saga(
                        value(Setting.SAGA_TIMEOUT, SettingsParser::positive),
                        value(Setting.SAGA_COMPENSATION_ATTEMPTS, SettingsParser::attempts),
                        value(Setting.SAGA_COMPENSATION_BACKOFF, SettingsParser::positive)),
                new HubSettings.Flows(optional(Setting.FLOWS_ALLOWED_COMPONENTS, SettingsParser::components)
                        .orElse(Set.of())),
                mail(),
                new HubSettings.Security(optional(Setting.SECURITY_API_KEYS, SettingsParser::keys)
                        .orElse(List.of())),
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
            faults.add(Setting.HTTP_HOST.key() + "=" + host + " can be reached from other machines, so "
                    + Setting.SECURITY_API_KEYS.key() + " must be set (or listen on 127.0.0.1)");
        }
        if (settings.events().bus() == Bus.KAFKA && settings.kafka().mode() == Mode.OFF) {
            faults.add(Setting.EVENTS_BUS.key() + "=kafka needs " + Setting.KAFKA_BROKERS.key()
                    + " to be embedded or host:9092,...");
        }
    }

    private void checkStyle(HubSettings settings) {
        OrderStyle style = settings.style();
        if (!(style instanceof Style) && !Files.exists(settings.routesDir().resolve(style.flow() + ".camel.yaml"))) {
            faults.add(Setting.ORDERS_STYLE.key() + "=" + style.wire() + " cannot be read: it must be " + STYLES
                    + " in " + settings.routesDir() + " (" + Setting.ROUTES_DIR.key() + ")");
        }
    }

    private boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            faults.add(Setting.HTTP_HOST.key() + "=" + host + " is not an address of this machine");
            return true;
        }
    }

    private <T> T value(Setting setting, Function<String, T> parser) {
        T value = parse(setting.key(), values.getOrDefault(setting.key(), setting.usual()), parser);
        // After a fault reading goes on, to find the others too.
        return value == null ? parser.apply(setting.usual()) : value;
    }

    private <T> Optional<T> optional(Setting setting, Function<String, T> parser) {
        String text = values.getOrDefault(setting.key(), setting.usual());
        return text.isBlank() ? Optional.empty() : Optional.ofNullable(parse(setting.key(), text, parser));
    }

    private <T> T parse(String key, String text, Function<String, T> parser) {
        try {
            return parser.apply(text);
        } catch (Unreadable e) {
            // A key's hash is no secret, a password is never unreadable, and in a URL it is hidden.
            faults.add(key + "=" + LOGIN_IN_URL.matcher(text).replaceFirst(":***@") + " cannot be read: it must be "
                    + e.getMessage());
            return null;
        }
    }

    private HubSettings.Log log() {
        Map<String, String> levels = new TreeMap<>();
        values.forEach((key, text) -> {
            if (key.startsWith(Setting.LOG_LEVELS)) {
                String level = parse(key, text, SettingsParser::logLevel);
                levels.put(key.substring(Setting.LOG_LEVELS.length()), level == null ? "info" : level);
            }
        });
        return new HubSettings.Log(
                value(Setting.LOG_FORMAT, SettingsParser::logFormat),
                value(Setting.LOG_LEVEL, SettingsParser::logLevel),
                Map.copyOf(levels));
    }

    private static HubSettings.Log.Format logFormat(String text) {
        return switch (text) {
            case "text" -> HubSettings.Log.Format.TEXT;
            case "json" -> HubSettings.Log.Format.JSON;
            default -> throw new Unreadable("text or json");
        };
    }

    private static String logLevel(String text) {
        String level = text.toLowerCase(Locale.ROOT);
        if (!LOG_LEVELS.contains(level)) {
            throw new Unreadable("one of " + String.join(", ", LOG_LEVELS));
        }
        return level;
    }

    private Map<EventType, List<Integer>> emit() {
        Map<EventType, List<Integer>> emit = new EnumMap<>(EventType.class);
        for (EventType type : EventType.values()) {
            String key = Setting.EMIT + type;
            if (values.containsKey(key)) {
                emit.put(type, parse(key, values.get(key), text -> versions(type, text)));
            }
        }
        return emit;
    }

    private HubSettings.Kafka kafka() {
        int port = value(Setting.KAFKA_PORT, SettingsParser::port);
        String brokers = value(Setting.KAFKA_BROKERS, SettingsParser::brokers);
        if (brokers.equals("off")) {
            return new HubSettings.Kafka(Mode.OFF, "", port);
        }
        return brokers.equals("embedded")
                ? new HubSettings.Kafka(Mode.EMBEDDED, "", port)
                : new HubSettings.Kafka(Mode.OUTSIDE, brokers, port);
    }

    private Optional<HubSettings.Mail> mail() {
        Optional<URI> url = optional(Setting.MAIL_URL, SettingsParser::mailUrl);
        Optional<String> user = optional(Setting.MAIL_USER, SettingsParser::text);
        Optional<String> password = optional(Setting.MAIL_PASSWORD, SettingsParser::text);
        Optional<String> from = optional(Setting.MAIL_FROM, SettingsParser::mailFrom);
        String to = value(Setting.MAIL_TO, SettingsParser::mailTo);
        if (url.isPresent() && !values.containsKey(Setting.MAIL_FROM.key())) {
            faults.add(Setting.MAIL_URL.key() + " needs " + Setting.MAIL_FROM.key());
        }
        if (user.isPresent() != password.isPresent()) {
            faults.add(Setting.MAIL_USER.key() + " and " + Setting.MAIL_PASSWORD.key() + " need each other");
        }
        return url.map(server -> new HubSettings.Mail(
                server, user.map(name -> new HubSettings.Login(name, password.orElse(""))), from.orElse(""), to));
    }

    private static URI mailUrl(String text) {
        try {
            URI url = new URI(text);
            String whole = url.getScheme() + "://" + url.getHost() + ":" + url.getPort();
            if (text.equals(whole) && text.matches("smtps?://.*") && url.getPort() > 0 && url.getPort() <= 65_535) {
                return url;
            }
        } catch (URISyntaxException e) {
            // Told below, without the text: a password may be in it.
        }
        throw new Unreadable("smtp://host:587 or smtps://host:465; user and password have keys of their own");
    }

    private static String mailFrom(String text) {
        if (!MailAddresses.isAddress(text)) {
            throw new Unreadable("an address such as orders@shop.example");
        }
        return text;
    }

    private static String mailTo(String text) {
        if (!MailAddresses.isPattern(text)) {
            throw new Unreadable("{customerId} or an address with it, such as {customerId}@customers.example");
        }
        return text;
    }

    private static String text(String text) {
        if (text.isBlank()) {
            throw new Unreadable("something");
        }
        return text;
    }

    private static String name(String text) {
        if (!NAME.matcher(text).matches()) {
            throw new Unreadable("1 to 64 of A-Z a-z 0-9 . _ -");
        }
        return text;
    }

    private static Path path(String text) {
        try {
            return Path.of(text(text));
        } catch (InvalidPathException e) {
            throw new Unreadable("a path");
        }
    }

    private static int number(String text, int least, int most) {
        if (!text.matches("\\d{1,9}") || Integer.parseInt(text) < least || Integer.parseInt(text) > most) {
            throw new Unreadable("a number from " + least + " to " + most);
        }
        return Integer.parseInt(text);
    }

    private static int port(String text) {
        return number(text, 0, 65_535);
    }

    private static int streams(String text) {
        return number(text, 0, 1_000_000);
    }

    private static int attempts(String text) {
        return number(text, 1, 1_000_000);
    }

    private static Duration duration(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            throw new Unreadable("a duration such as 100ms, 10s, 1m, 2h or 30d");
        }
        long count = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(count);
            case "s" -> Duration.ofSeconds(count);
            case "m" -> Duration.ofMinutes(count);
            case "h" -> Duration.ofHours(count);
            default -> Duration.ofDays(count);
        };
    }

    private static Duration positive(String text) {
        Duration duration = duration(text);
        if (duration.isZero()) {
            throw new Unreadable("a duration of more than nothing, such as 100ms, 10s, 1m, 2h or 30d");
        }
        return duration;
    }

    private static Duration retention(String text) {
        Duration duration = duration(text);
        if (duration.compareTo(LEAST_RETENTION) < 0) {
            throw new Unreadable("a duration of at least a day, such as 30d");
        }
        return duration;
    }

    private static OrderStyle style(String text) {
        return OrderStyle.of(text).orElseThrow(() -> new Unreadable(STYLES));
    }

    private static Set<String> components(String text) {
        Set<String> names = new TreeSet<>(list(text));
        for (String name : names) {
            if (!COMPONENT.matcher(name).matches()) {
                throw new Unreadable(
                        "components, bean:NAME and language:NAME, comma separated, which '" + name + "' is not");
            }
        }
        return Set.copyOf(names);
    }

    private static Bus bus(String text) {
        return switch (text) {
            case "jms" -> Bus.JMS;
            case "kafka" -> Bus.KAFKA;
            default -> throw new Unreadable("jms or kafka");
        };
    }

    private static String storeUrl(String text) {
        if (!text.startsWith("jdbc:postgresql:")) {
            throw new Unreadable("jdbc:postgresql://host/database, or empty for the embedded database");
        }
        return text;
    }

    private static Optional<String> jmsUrl(String text) {
        if (text.equals("embedded")) {
            return Optional.empty();
        }
        if (!text.contains("://")) {
            throw new Unreadable("embedded or a broker's URL such as tcp://host:61616");
        }
        return Optional.of(text);
    }

    private static String brokers(String text) {
        if (!text.equals("off")
                && !text.equals("embedded")
                && !BROKERS.matcher(text).matches()) {
            throw new Unreadable("off, embedded or host:9092,...");
        }
        return text;
    }

    private static Set<String> countries(String text) {
        Set<String> countries = new TreeSet<>();
        for (String country : list(text)) {
            if (!COUNTRIES.contains(country)) {
                throw new Unreadable("ISO 3166-1 alpha-2 codes, comma separated, which '" + country + "' is not");
            }
            countries.add(country);
        }
        return Set.copyOf(countries);
    }

    private static Set<String> allButAntarctica() {
        Set<String> countries = new HashSet<>(COUNTRIES);
        countries.remove("AQ");
        return Set.copyOf(countries);
    }

    private static List<Integer> versions(EventType type, String text) {
        int newest = EventVersions.newest(type);
        Set<Integer> versions = new TreeSet<>();
        for (String version : list(text)) {
            if (!version.matches("v?[1-9]\\d{0,3}") || Integer.parseInt(version.replace("v", "")) > newest) {
                throw new Unreadable("a version or versions of v1 to v" + newest + ", comma separated");
            }
            versions.add(Integer.parseInt(version.replace("v", "")));
        }
        if (versions.isEmpty()) {
            throw new Unreadable("a version or versions of v1 to v" + newest + ", comma separated");
        }
        return List.copyOf(versions);
    }

    private static List<ApiKey> keys(String text) {
        List<ApiKey> keys = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (String entry : list(text)) {
            String[] parts = entry.split(":", -1);
            Optional<Role> role = parts.length == 3 ? role(parts[1]) : Optional.empty();
            if (role.isEmpty()
                    || !NAME.matcher(parts[0]).matches()
                    || !SHA_256.matcher(parts[2]).matches()) {
                throw new Unreadable("name:role:sha256, comma separated, with a role of viewer, sender or operator and"
                        + " the key's SHA-256 as 64 lower-case hex digits");
            }
            if (!names.add(parts[0])) {
                throw new Unreadable("a list without the name '" + parts[0] + "' twice");
            }
            keys.add(new ApiKey(parts[0], role.get(), parts[2]));
        }
        return List.copyOf(keys);
    }

    private static Optional<Role> role(String text) {
        return Arrays.stream(Role.values())
                .filter(role -> role.name().toLowerCase(Locale.ROOT).equals(text))
                .findFirst();
    }

    private static List<String> list(String text) {
        return Arrays.stream(text.split(","))
                .map(String::trim)
                .filter(each -> !each.isEmpty())
                .toList();
    }

    private static String newNodeId() {
        return "hub-" + UUID.randomUUID().toString().substring(0, 8);
    }
}
