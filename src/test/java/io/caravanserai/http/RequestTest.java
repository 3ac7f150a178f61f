package io.caravanserai.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.MultiMap;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestTest {
    record Parcel(Address to, BigDecimal weight, Integer pieces, List<String> marks) {
        record Address(String street) {}
    }

    @Test
    void aBodyIsReadAsAnObject() {
        assertThat(parcel("{\"to\": {\"street\": \"Silk Road\"}, \"weight\": 2, \"pieces\": 3, \"marks\": [\"a\"]}"))
                .isEqualTo(new Parcel(new Parcel.Address("Silk Road"), BigDecimal.valueOf(2), 3, List.of("a")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"pieces\": 1.5}                | #/pieces    | must be a whole number",
                "{\"pieces\": \"50\"}             | #/pieces    | must be a whole number",
                "{\"pieces\": 3000000000}         | #/pieces    | is out of range",
                "{\"pieces\": true}               | #/pieces    | must be a whole number",
                "{\"weight\": \"2\"}              | #/weight    | must be a number",
                "{\"weight\": {}}                 | #/weight    | must be a number",
                "{\"to\": {\"street\": 7}}        | #/to/street | must be a string",
                "{\"to\": {\"street\": true}}     | #/to/street | must be a string",
                "{\"to\": {\"street\": []}}       | #/to/street | must be a string",
                "{\"to\": 7}                      | #/to        | must be an object",
                "{\"to\": \"Silk Road\"}          | #/to        | must be an object",
                "{\"marks\": \"a\"}               | #/marks     | must be a list",
                "{\"marks\": [\"a\", 1]}          | #/marks/1   | must be a string",
                "{\"colour\": \"red\"}            | #/colour    | is not a known field",
                "[]                               | #           | must be an object",
                "null                             | #           | must not be null",
            })
    void whatIsWrongIsSaidInWordsOfJson(String body, String pointer, String detail) {
        assertThatThrownBy(() -> parcel(body))
                .isInstanceOfSatisfying(
                        ProblemException.class,
                        refused -> assertThat(new String(refused.response().body(), StandardCharsets.UTF_8))
                                .contains("\"" + pointer + "\"", "\"" + detail + "\""));
    }

    private static Parcel parcel(String body) {
        return new Request(
                        null,
                        Map.of(),
                        MultiMap.caseInsensitiveMultiMap(),
                        body.getBytes(StandardCharsets.UTF_8),
                        "anonymous")
                .json(Parcel.class);
    }
}
