package io.caravanserai.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class HeaderListTest {
    @Test
    void separatorInQuotesIsNoSeparator() {
        assertThat(HeaderList.elements(List.of("a, foo=\"b, c\" ,, d", " ", "e")))
                .containsExactly("a", "foo=\"b, c\"", "d", "e");
        assertThat(HeaderList.parameters("text/x; a=\"b;c\"; charset=utf-8"))
                .containsExactly("text/x", "a=\"b;c\"", "charset=utf-8");
    }

    @Test
    void quotedStringHasEscapesAndEntityTagHasNone() {
        assertThat(HeaderList.elements(List.of("foo=\"a\\\", b\", c"))).containsExactly("foo=\"a\\\", b\"", "c");
        assertThat(HeaderList.entityTags(List.of("\"a\\\", \"b\""))).containsExactly("\"a\\\"", "\"b\"");
    }

    @Test
    void aQuoteThatIsNeverClosedReachesToTheEnd() {
        assertThat(HeaderList.elements(List.of("a, b=\"c, d", "e"))).containsExactly("a", "b=\"c, d", "e");
        assertThat(HeaderList.elements(List.of("a=\"b\\"))).containsExactly("a=\"b\\");
        assertThat(HeaderList.elements(List.of())).isEmpty();
    }
}
