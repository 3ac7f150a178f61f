package io.caravanserai.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;

/**
 * Reads the settings of the hub. Precedence: system properties, environment variables, {@code application.properties},
 * defaults in {@link Settings}.
 * <p>The file is read from the folder in the system property {@code caravanserai.home}, which {@code bin/hub} sets,
 * else from the class path.
 */
public final class SettingsReader {
    /** System property with the folder of the distribution; not set when the hub runs from a checkout. */
    public static final String HOME = "caravanserai.home";

    private static final String FILE = "application.properties";
    private static final String PREFIX = "hub.";
    private static final String VARIABLE_PREFIX = "HUB_";
    /**
     * The variable of a package has underscores in place of dots, so a package name with a capital or an underscore has
     * no variable.
     */
    private static final String LOG_LEVEL_VARIABLE = Setting.variable(Settings.LOG_LEVELS.prefix());

    private static final Path ROUTES_OF_A_CHECKOUT = Path.of("src", "main", "resources", "routes");

    private final Map<String, String> environment;
    private final Map<String, String> system;

    /** Reads the environment and the system properties of this process. */
    public SettingsReader() {
        this(System.getenv(), texts(System.getProperties()));
    }

    public SettingsReader(Map<String, String> environment, Map<String, String> system) {
        this.environment = environment;
        this.system = system;
    }

    /**
     * The settings of a start.
     * @param warnings one sentence each, for the log
     */
    public record Result(HubSettings settings, List<String> warnings) {}

    /**
     * Reads and checks all settings.
     * @throws SettingsException for unknown keys and invalid values; the message has all faults
     */
    public Result read() {
        Optional<Path> home = Optional.ofNullable(system.get(HOME)).map(Path::of);
        Path routes = home.map(folder -> folder.resolve("routes")).orElse(ROUTES_OF_A_CHECKOUT);
        return read(file(home), routes);
    }

    public Result read(Map<String, String> file, Path routes) {
        Map<String, String> values = new HashMap<>();
        List<String> faults = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        take(file, "in " + FILE, values, faults);
        takeEnvironment(values, warnings);
        take(system, "as a system property", values, faults);
        HubSettings settings = new SettingsParser(values, routes, faults).parse();
        if (!faults.isEmpty()) {
            throw new SettingsException(faults);
        }
        return new Result(settings, List.copyOf(warnings));
    }

    private static void take(Map<String, String> from, String where, Map<String, String> values, List<String> faults) {
        new TreeMap<>(from).forEach((key, value) -> {
            if (!key.startsWith(PREFIX)) {
                return;
            }
            if (Settings.isKnown(key)) {
                values.put(key, value.trim());
            } else {
                faults.add("unknown key " + key + " " + where + "; did you mean " + Settings.nearest(key) + "?");
            }
        });
    }

    private void takeEnvironment(Map<String, String> values, List<String> warnings) {
        Map<String, String> keys = new HashMap<>();
        Settings.fixedKeys().forEach(key -> keys.put(Setting.variable(key), key));
        new TreeMap<>(environment).forEach((variable, value) -> {
            if (!variable.startsWith(VARIABLE_PREFIX)) {
                return;
            }
            String key = variable.startsWith(LOG_LEVEL_VARIABLE)
                    ? variable.toLowerCase(Locale.ROOT).replace('_', '.')
                    : keys.get(variable);
            if (key == null) {
                String meant = Settings.nearest(variable.replace('_', '.').toLowerCase(Locale.ROOT));
                warnings.add("unknown environment variable " + variable + " is ignored; did you mean "
                        + Setting.variable(meant) + "?");
            } else if (!value.isBlank()) {
                // Compose files and similar tools set a variable to the empty string for an absent value.
                values.put(key, value.trim());
            }
        });
    }

    private static Map<String, String> file(Optional<Path> home) {
        Properties properties = new Properties();
        try (Reader reader = open(home)) {
            properties.load(reader);
        } catch (IOException e) {
            throw new UncheckedIOException(FILE + " cannot be read", e);
        } catch (IllegalArgumentException e) {
            throw new SettingsException(List.of(FILE + " cannot be read: " + e.getMessage()));
        }
        return texts(properties);
    }

    private static Reader open(Optional<Path> home) throws IOException {
        Optional<Path> beside = home.map(folder -> folder.resolve(FILE)).filter(Files::exists);
        if (beside.isPresent()) {
            return Files.newBufferedReader(beside.get());
        }
        InputStream onClassPath = SettingsReader.class.getResourceAsStream("/" + FILE);
        return onClassPath == null ? Reader.nullReader() : new InputStreamReader(onClassPath, StandardCharsets.UTF_8);
    }

    private static Map<String, String> texts(Properties properties) {
        Map<String, String> texts = new HashMap<>();
        properties.stringPropertyNames().forEach(name -> texts.put(name, properties.getProperty(name)));
        return texts;
    }
}
