package io.caravanserai;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Checks that lists in the documentation are complete. */
class DocumentationTest {

    @Test
    void everyDependencyIsExplainedAndNoOther() throws IOException {
        String pom = Files.readString(Path.of("pom.xml"));
        String used = pom.substring(pom.indexOf("</dependencyManagement>"), pom.lastIndexOf("<build>"))
                .replaceAll("(?s)<exclusions>.*?</exclusions>", "");
        assertThat(all("\\| `([^`]+)` \\|", Files.readString(Path.of("docs", "dependencies.md"))))
                .isEqualTo(all("<artifactId>([^<]+)</artifactId>", used));
    }

    private static Set<String> all(String pattern, String text) {
        Set<String> found = new TreeSet<>();
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        while (matcher.find()) {
            found.add(matcher.group(1));
        }
        return found;
    }
}
