package io.caravanserai.config;

import io.caravanserai.config.HubSettings.ApiKey;
import io.caravanserai.config.HubSettings.Events.Bus;
import io.caravanserai.config.HubSettings.Role;
import io.caravanserai.event.EventType;
import io.caravanserai.event.EventVersions;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.order.Style;
import io.caravanserai.support.MailAddresses;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Parses the texts of settings. Each method throws {@link UnreadableValueException} for an invalid text. */
final class SettingValues {
    static final String STYLES = "one of " + Style.names() + ", or STYLE of a flow order-STYLE.camel.yaml";

    private static final List<String> LOG_LEVELS = List.of("trace", "debug", "info", "warn", "error", "off");
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h|d)");
    /** Idempotency keys are kept as long as events; messages in flight must find their keys. */
    private static final Duration MIN_RETENTION = Duration.ofDays(1);

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");
    private static final Pattern COMPONENT =
            Pattern.compile("[A-Za-z0-9][A-Za-z0-9+.-]*|(?:bean|language):[A-Za-z0-9_$.#-]+");
    private static final Pattern BROKERS = Pattern.compile("[^\\s,:]+:\\d{1,5}(\\s*,\\s*[^\\s,:]+:\\d{1,5})*");
    private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");
    private static final Set<String> COUNTRIES = Locale.getISOCountries(Locale.IsoCountryCode.PART1_ALPHA2);

    private SettingValues() {}

    /** Returns a parser for an optional setting: a blank text is empty. */
    static <T> Function<String, Optional<T>> optional(Function<String, T> parser) {
        return text -> text.isBlank() ? Optional.empty() : Optional.of(parser.apply(text));
    }

    static HubSettings.Log.Format logFormat(String text) {
        return switch (text) {
            case "text" -> HubSettings.Log.Format.TEXT;
            case "json" -> HubSettings.Log.Format.JSON;
            default -> throw new UnreadableValueException("text or json");
        };
    }

    static String logLevel(String text) {
        String level = text.toLowerCase(Locale.ROOT);
        if (!LOG_LEVELS.contains(level)) {
            throw new UnreadableValueException("one of " + String.join(", ", LOG_LEVELS));
        }
        return level;
    }

    static URI mailUrl(String text) {
        try {
            URI url = new URI(text);
            String whole = url.getScheme() + "://" + url.getHost() + ":" + url.getPort();
            if (text.equals(whole) && text.matches("smtps?://.*") && url.getPort() > 0 && url.getPort() <= 65_535) {
                return url;
            }
        } catch (URISyntaxException e) {
            // The message below omits the text, because the text may contain a password.
        }
        throw new UnreadableValueException(
                "smtp://host:587 or smtps://host:465; user and password have keys of their own");
    }

    static String mailFrom(String text) {
        if (!MailAddresses.isAddress(text)) {
            throw new UnreadableValueException("an address such as orders@shop.example");
        }
        return text;
    }

    static String mailTo(String text) {
        if (!MailAddresses.isPattern(text)) {
            throw new UnreadableValueException(
                    "{customerId} or an address with it, such as {customerId}@customers.example");
        }
        return text;
    }

    static String text(String text) {
        if (text.isBlank()) {
            throw new UnreadableValueException("something");
        }
        return text;
    }

    static String name(String text) {
        if (!NAME.matcher(text).matches()) {
            throw new UnreadableValueException("1 to 64 of A-Z a-z 0-9 . _ -");
        }
        return text;
    }

    static Path path(String text) {
        try {
            return Path.of(text(text));
        } catch (InvalidPathException e) {
            throw new UnreadableValueException("a path");
        }
    }

    static int number(String text, int min, int max) {
        if (!text.matches("\\d{1,9}") || Integer.parseInt(text) < min || Integer.parseInt(text) > max) {
            throw new UnreadableValueException("a number from " + min + " to " + max);
        }
        return Integer.parseInt(text);
    }

    static int port(String text) {
        return number(text, 0, 65_535);
    }

    static Duration duration(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            throw new UnreadableValueException("a duration such as 100ms, 10s, 1m, 2h or 30d");
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

    static Duration positive(String text) {
        Duration duration = duration(text);
        if (duration.isZero()) {
            throw new UnreadableValueException("a duration of more than nothing, such as 100ms, 10s, 1m, 2h or 30d");
        }
        return duration;
    }

    static Duration retention(String text) {
        Duration duration = duration(text);
        if (duration.compareTo(MIN_RETENTION) < 0) {
            throw new UnreadableValueException("a duration of at least a day, such as 30d");
        }
        return duration;
    }

    static OrderStyle style(String text) {
        return OrderStyle.of(text).orElseThrow(() -> new UnreadableValueException(STYLES));
    }

    /** An empty set allows all. */
    static Set<String> components(String text) {
        Set<String> names = new TreeSet<>(list(text));
        for (String name : names) {
            if (!COMPONENT.matcher(name).matches()) {
                throw new UnreadableValueException(
                        "components, bean:NAME and language:NAME, comma separated, which '" + name + "' is not");
            }
        }
        return Set.copyOf(names);
    }

    static Bus bus(String text) {
        return switch (text) {
            case "jms" -> Bus.JMS;
            case "kafka" -> Bus.KAFKA;
            default -> throw new UnreadableValueException("jms or kafka");
        };
    }

    static String storeUrl(String text) {
        if (!text.startsWith("jdbc:postgresql:")) {
            throw new UnreadableValueException("jdbc:postgresql://host/database, or empty for the embedded database");
        }
        return text;
    }

    static Optional<String> jmsUrl(String text) {
        if (text.equals("embedded")) {
            return Optional.empty();
        }
        if (!text.contains("://")) {
            throw new UnreadableValueException("embedded or a broker's URL such as tcp://host:61616");
        }
        return Optional.of(text);
    }

    static String brokers(String text) {
        if (!text.equals("off")
                && !text.equals("embedded")
                && !BROKERS.matcher(text).matches()) {
            throw new UnreadableValueException("off, embedded or host:9092,...");
        }
        return text;
    }

    /** A blank text stands for every country except Antarctica. */
    static Set<String> countries(String text) {
        if (text.isBlank()) {
            return allButAntarctica();
        }
        Set<String> countries = new TreeSet<>();
        for (String country : list(text)) {
            if (!COUNTRIES.contains(country)) {
                throw new UnreadableValueException(
                        "ISO 3166-1 alpha-2 codes, comma separated, which '" + country + "' is not");
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

    static List<Integer> versions(String type, String text) {
        int newest = EventVersions.newest(EventType.valueOf(type));
        Set<Integer> versions = new TreeSet<>();
        for (String version : list(text)) {
            if (!version.matches("v?[1-9]\\d{0,3}") || Integer.parseInt(version.replace("v", "")) > newest) {
                throw new UnreadableValueException("a version or versions of v1 to v" + newest + ", comma separated");
            }
            versions.add(Integer.parseInt(version.replace("v", "")));
        }
        if (versions.isEmpty()) {
            throw new UnreadableValueException("a version or versions of v1 to v" + newest + ", comma separated");
        }
        return List.copyOf(versions);
    }

    static List<ApiKey> keys(String text) {
        List<ApiKey> keys = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (String entry : list(text)) {
            String[] parts = entry.split(":", -1);
            Optional<Role> role = parts.length == 3 ? role(parts[1]) : Optional.empty();
            if (role.isEmpty()
                    || !NAME.matcher(parts[0]).matches()
                    || !SHA_256.matcher(parts[2]).matches()) {
                throw new UnreadableValueException(
                        "name:role:sha256, comma separated, with a role of viewer, sender or operator and"
                                + " the key's SHA-256 as 64 lower-case hex digits");
            }
            if (!names.add(parts[0])) {
                throw new UnreadableValueException("a list without the name '" + parts[0] + "' twice");
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
}
