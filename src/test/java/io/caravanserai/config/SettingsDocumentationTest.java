package io.caravanserai.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.commons.text.WordUtils;
import org.junit.jupiter.api.Test;

/**
 * Compares {@code application.properties} and the table in the README with {@link Settings}. With the system property
 * {@code caravanserai.write-docs} writes both instead.
 */
class SettingsDocumentationTest {
    private static final Path PROPERTIES = Path.of("src", "main", "resources", "application.properties");
    private static final Path README = Path.of("README.md");
    private static final String TABLE = "| key | default | meaning |\n| --- | --- | --- |\n";
    private static final int WIDTH = 118;

    /** One row: a setting, or a family of settings. */
    private record Row(String key, String defaultText, String example, String meaning) {}

    @Test
    void thePropertiesFileShowsEverySettingWithItsDefault() throws IOException {
        String head = """
                # The hub's settings. Each line that is commented out shows the default.
                # An environment variable wins over this file (HUB_HTTP_PORT over hub.http.port), a system property over both.
                # Durations are written 100ms, 10s, 1m, 2h, 30d. An unknown key stops the start;
                # an unknown HUB_ variable gives a warning.
                """;
        StringBuilder text = new StringBuilder(head);
        String group = "";
        for (Row row : rows()) {
            if (!group(row).equals(group)) {
                group = group(row);
                text.append('\n');
            }
            String meaning =
                    row.meaning().replaceAll("\\[([^]]*)]\\([^)]*\\)", "$1").replace("`", "");
            text.append("# ")
                    .append(WordUtils.wrap(meaning, WIDTH, "\n# ", false))
                    .append("\n#")
                    .append(row.example())
                    .append('\n');
        }
        compare(PROPERTIES, text.toString());
    }

    @Test
    void theReadmeHasATableOfAllSettings() throws IOException {
        String table = rows().stream()
                .map(row -> "| `" + row.key() + "` | "
                        + (row.defaultText().isEmpty() ? "" : "`" + row.defaultText() + "`") + " | "
                        + row.meaning().replace("|", "\\|") + " |\n")
                .collect(Collectors.joining());
        String readme = Files.readString(README);
        int start = readme.indexOf(TABLE) + TABLE.length();
        assertThat(readme).contains(TABLE);
        compare(README, readme.substring(0, start) + table + readme.substring(readme.indexOf("\n\n", start) + 1));
    }

    @Test
    void everyDefaultIsAValueOfItsSetting() {
        assertThat(Settings.all())
                .allSatisfy(setting ->
                        assertThat(setting.parse(setting.defaultText())).isNotNull());
    }

    private static void compare(Path file, String expected) throws IOException {
        if (System.getProperty("caravanserai.write-docs") != null) {
            Files.writeString(file, expected);
        }
        assertThat(Files.readString(file))
                .as("%s differs from Settings; to write it: mvn test -Dtest=%s -Dcaravanserai.write-docs", file, name())
                .isEqualTo(expected);
    }

    private static String name() {
        return SettingsDocumentationTest.class.getSimpleName();
    }

    /** A family comes after the setting with the longest common prefix. */
    private static List<Row> rows() {
        List<Row> rows = new ArrayList<>(Settings.all().stream()
                .map(setting -> new Row(
                        setting.key(),
                        setting.defaultText(),
                        setting.key() + "=" + setting.defaultText(),
                        setting.meaning()))
                .toList());
        for (SettingFamily<?> family : Settings.families()) {
            Row row = new Row(
                    family.prefix() + family.placeholder(), "", family.prefix() + family.example(), family.meaning());
            int last = IntStream.range(0, rows.size())
                    .filter(index -> group(rows.get(index)).equals(group(row)))
                    .max()
                    .orElseThrow();
            rows.add(last + 1, row);
        }
        return rows;
    }

    private static String group(Row row) {
        return Arrays.stream(row.key().split("\\.")).limit(2).collect(Collectors.joining("."));
    }
}
