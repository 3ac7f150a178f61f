package io.caravanserai.intake;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.caravanserai.http.Problem.Fault;
import io.caravanserai.order.Currency;
import io.caravanserai.order.Order;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class OrderReaderTest {
    private static final String GOOD = """
            {"orderId": "O-1", "customerId": "C-789",
             "items": [{"sku": "SADDLE-01", "quantity": 2, "unitPrice": 50.00}],
             "currency": "EUR", "paymentMethod": "pm_card_visa",
             "shippingAddress": {"name": "A. Rider", "line1": "1 Silk Road", "city": "Delft",
                                 "postalCode": "2611", "country": "NL"}}""";
    private final OrderReader reader = new OrderReader(() -> "made-by-the-hub");

    @Test
    void anOrderIsRead() {
        assertThat(read(GOOD))
                .isEqualTo(new ParseResult.Valid(
                        new Order(
                                "O-1",
                                "C-789",
                                List.of(new Order.Item("SADDLE-01", 2, new BigDecimal("50.00"))),
                                Currency.getInstance("EUR"),
                                "pm_card_visa",
                                new Order.Address("A. Rider", "1 Silk Road", "Delft", "2611", "NL")),
                        true));
    }

    @Test
    void addressNeedsOnlyCountryAndOrderIdIsGenerated() {
        String least = GOOD.replace("\"orderId\": \"O-1\", ", "").replaceAll("\"name\"(?s).*2611\", ", "");

        Order order = valid(least);

        assertThat(order.orderId()).isEqualTo("made-by-the-hub");
        assertThat(order.shippingAddress()).isEqualTo(new Order.Address(null, null, null, null, "NL"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"50", "50.0", "50.00000", "5e1", "500E-1", "0.5e2"})
    void theSpellingOfAPriceDoesNotMatter(String price) {
        assertThat(valid(GOOD.replace("50.00", price))).isEqualTo(valid(GOOD));
    }

    @ParameterizedTest
    @ValueSource(strings = {"2.0", "2e0", "0.2e1", "20e-1"})
    void theSpellingOfAQuantityDoesNotMatter(String quantity) {
        assertThat(valid(GOOD.replace("\"quantity\": 2", "\"quantity\": " + quantity)))
                .isEqualTo(valid(GOOD));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "0.00", "-0.0", "0e-999999999", "0e999999999", "1000000000", "1e9", "0.01"})
    void pricesOnTheBoundsAreTaken(String price) {
        assertThat(read(GOOD.replace("50.00", price))).isInstanceOf(ParseResult.Valid.class);
    }

    @Test
    void decimalsDependOnCurrency() {
        assertThat(read(GOOD.replace("EUR", "JPY").replace("50.00", "50"))).isInstanceOf(ParseResult.Valid.class);
        assertThat(read(GOOD.replace("EUR", "KWD").replace("50.00", "50.123"))).isInstanceOf(ParseResult.Valid.class);
    }

    @Test
    void textsMayHave200CharactersOfAnyKind() {
        assertThat(read(GOOD.replace("Delft", "🐫".repeat(200)))).isInstanceOf(ParseResult.Valid.class);
        assertThat(read(GOOD.replace("Delft", "\\ud83d\\udc2b"))).isInstanceOf(ParseResult.Valid.class);
    }

    @Test
    void aThousandItemsAreTaken() {
        assertThat(valid(withItems(1_000)).items()).hasSize(1_000);
    }

    static Stream<Arguments> unreadable() {
        return Stream.of(
                arguments("nothing", ""),
                arguments("blanks", "  \n"),
                arguments("cut off", GOOD.substring(0, GOOD.length() - 1)),
                arguments("a brace too many", GOOD + "}"),
                arguments("two documents", GOOD + GOOD),
                arguments("a comma too many", GOOD.replace("\"NL\"", "\"NL\",")),
                arguments("a comment", GOOD.replace("{\"orderId\"", "{/* */\"orderId\"")),
                arguments("single quotes", GOOD.replace('"', '\'')),
                arguments("bare names", GOOD.replace("\"orderId\"", "orderId")),
                arguments("XML", "<order/>"),
                arguments("a form", "orderId=1&customerId=2"),
                arguments("NaN", GOOD.replace("50.00", "NaN")),
                arguments("Infinity", GOOD.replace("50.00", "-Infinity")),
                arguments("hexadecimal", GOOD.replace("50.00", "0x32")),
                arguments("a leading zero", GOOD.replace("50.00", "050.00")),
                arguments("a leading plus", GOOD.replace("50.00", "+50.00")),
                arguments("no digit before the point", GOOD.replace("50.00", ".5")),
                arguments("no digit behind the point", GOOD.replace("50.00", "5.")),
                arguments("a number of 1000 digits", GOOD.replace("50.00", "9".repeat(1000))),
                arguments("an exponent beyond reason", GOOD.replace("50.00", "1e99999999999999999999")),
                arguments("a name twice", GOOD.replace("\"currency\"", "\"customerId\": \"C-1\", \"currency\"")),
                arguments(
                        "a name twice in an item", GOOD.replace("\"quantity\": 2", "\"quantity\": 2, \"quantity\": 3")),
                arguments(
                        "a name twice, spelled differently",
                        GOOD.replace("\"currency\"", "\"\\u0073ku\": 1, \"sku\": 1, \"currency\"")),
                arguments("a control character in a text", GOOD.replace("Delft", "Del\u0001ft")),
                arguments("a line break in a text", GOOD.replace("Delft", "Del\nft")),
                arguments("an unknown escape", GOOD.replace("Delft", "Del\\xft")),
                arguments("70 levels", GOOD.replace("50.00", "[".repeat(70) + "]".repeat(70))),
                arguments("100,000 levels", "[".repeat(100_000)),
                arguments("100,000 levels of objects", "{\"a\":".repeat(100_000)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("unreadable")
    void textWithoutJsonIsUnreadable(String name, String text) {
        assertThat(read(text)).isInstanceOf(ParseResult.Unreadable.class);
    }

    static Stream<Arguments> brokenText() {
        byte[] good = GOOD.getBytes(StandardCharsets.UTF_8);
        return Stream.of(
                arguments("Latin-1", GOOD.replace("Delft", "Zürich").getBytes(StandardCharsets.ISO_8859_1)),
                arguments("UTF-16", GOOD.getBytes(StandardCharsets.UTF_16)),
                arguments("a byte order mark", ("\ufeff" + GOOD).getBytes(StandardCharsets.UTF_8)),
                arguments("a lone continuation", insert(good, 0x80)),
                arguments("a cut-off sequence", insert(good, 0xe2, 0x82)),
                arguments("an overlong slash", insert(good, 0xc0, 0xaf)),
                arguments("a surrogate", insert(good, 0xed, 0xa0, 0x80)),
                arguments("beyond Unicode", insert(good, 0xf4, 0x90, 0x80, 0x80)),
                arguments("the character 0", new byte[] {0}));
    }

    /** Inserts bytes into the city. */
    private static byte[] insert(byte[] good, int... bytes) {
        int at = GOOD.indexOf("Delft");
        byte[] all = new byte[good.length + bytes.length];
        System.arraycopy(good, 0, all, 0, at);
        for (int i = 0; i < bytes.length; i++) {
            all[at + i] = (byte) bytes[i];
        }
        System.arraycopy(good, at, all, at + bytes.length, good.length - at);
        return all;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("brokenText")
    void textNotInUtf8IsUnreadable(String name, byte[] bytes) {
        assertThat(reader.read(bytes)).isInstanceOf(ParseResult.Unreadable.class);
    }

    static Stream<Arguments> invalid() {
        return Stream.of(
                arguments("null", "#"),
                arguments("[]", "#"),
                arguments("\"order\"", "#"),
                arguments("1e999999999", "#"),
                arguments("{}", "#/customerId #/items #/currency #/paymentMethod #/shippingAddress"),
                with("\"O-1\"", "\"\"", "#/orderId"),
                with("\"O-1\"", "null", "#/orderId"),
                with("\"O-1\"", "7", "#/orderId"),
                with("\"O-1\"", "\"a b\"", "#/orderId"),
                with("\"O-1\"", "\"a/b\"", "#/orderId"),
                with("\"O-1\"", "\"é\"", "#/orderId"),
                with("\"O-1\"", "\"O-1\\n\"", "#/orderId"),
                with("\"O-1\"", "\"" + "x".repeat(65) + "\"", "#/orderId"),
                with("\"C-789\"", "\"\"", "#/customerId"),
                with("\"C-789\"", "null", "#/customerId"),
                with("\"C-789\"", "[\"C-789\"]", "#/customerId"),
                with("\"C-789\"", "\"" + "x".repeat(201) + "\"", "#/customerId"),
                with("\"C-789\"", "\"C\\u0000\"", "#/customerId"),
                with("\"C-789\"", "\"\\ud83d\"", "#/customerId"),
                with("\"C-789\"", "\"\\udc2b\\ud83d\"", "#/customerId"),
                with("[{\"sku\": \"SADDLE-01\", \"quantity\": 2, \"unitPrice\": 50.00}]", "[]", "#/items"),
                with("[{\"sku\": \"SADDLE-01\", \"quantity\": 2, \"unitPrice\": 50.00}]", "null", "#/items"),
                with("[{\"sku\": \"SADDLE-01\", \"quantity\": 2, \"unitPrice\": 50.00}]", "{}", "#/items"),
                with("[{\"sku\": \"SADDLE-01\", \"quantity\": 2, \"unitPrice\": 50.00}]", "[1]", "#/items/0"),
                with("[{\"sku\": \"SADDLE-01\", \"quantity\": 2, \"unitPrice\": 50.00}]", "[null]", "#/items/0"),
                with(
                        "{\"sku\": \"SADDLE-01\", \"quantity\": 2, \"unitPrice\": 50.00}",
                        "{}",
                        "#/items/0/sku #/items/0/quantity #/items/0/unitPrice"),
                with("\"sku\": \"SADDLE-01\", ", "", "#/items/0/sku"),
                with("\"SADDLE-01\"", "\"\"", "#/items/0/sku"),
                with("\"SADDLE-01\"", "1", "#/items/0/sku"),
                with("\"quantity\": 2", "\"quantity\": 0", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": -1", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": 1.5", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": 1e-400", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": 1e-999999999", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": 10001", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": 10000.5", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": 1e400", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": 1e999999999", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": -1e999999999", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": 4294967297", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": 18446744073709551617", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": 18446744073709551617.0", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": \"2\"", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": true", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": null", "#/items/0/quantity"),
                with("\"quantity\": 2", "\"quantity\": {}", "#/items/0/quantity"),
                with("50.00", "-0.01", "#/items/0/unitPrice"),
                with("50.00", "50.001", "#/items/0/unitPrice"),
                with("50.00", "1e-3", "#/items/0/unitPrice"),
                with("50.00", "1e-400", "#/items/0/unitPrice"),
                with("50.00", "1e-999999999", "#/items/0/unitPrice"),
                with("50.00", "1000000000.01", "#/items/0/unitPrice"),
                with("50.00", "1e400", "#/items/0/unitPrice"),
                with("50.00", "1e999999999", "#/items/0/unitPrice"),
                with("50.00", "-1e999999999", "#/items/0/unitPrice"),
                with("50.00", "\"50.00\"", "#/items/0/unitPrice"),
                with("50.00", "null", "#/items/0/unitPrice"),
                with("50.00", "[50.00]", "#/items/0/unitPrice"),
                with("\"EUR\"", "\"eur\"", "#/currency"),
                with("\"EUR\"", "\"EURO\"", "#/currency"),
                with("\"EUR\"", "\"QQQ\"", "#/currency"),
                with("\"EUR\"", "\"XAU\"", "#/currency"),
                with("\"EUR\"", "\"HRK\"", "#/currency"),
                with("\"EUR\"", "\"\"", "#/currency"),
                with("\"EUR\"", "978", "#/currency"),
                with("\"EUR\"", "null", "#/currency"),
                with("\"EUR\"", "\"EUR\\n\"", "#/currency"),
                with("\"EUR\"", "\"JPY\"", "", "50.00", "0.5", "#/items/0/unitPrice"),
                with("\"pm_card_visa\"", "\"\"", "#/paymentMethod"),
                with("\"pm_card_visa\"", "{}", "#/paymentMethod"),
                with("\"NL\"", "\"nl\"", "#/shippingAddress/country"),
                with("\"NL\"", "\"NLD\"", "#/shippingAddress/country"),
                with("\"NL\"", "\"XX\"", "#/shippingAddress/country"),
                with("\"NL\"", "\"NL\\n\"", "#/shippingAddress/country"),
                with("\"NL\"", "null", "#/shippingAddress/country"),
                with(", \"currency\": \"EUR\"", "", "#/currency"),
                with("\"Delft\"", "\"" + "x".repeat(201) + "\"", "#/shippingAddress/city"),
                with("\"Delft\"", "null", "#/shippingAddress/city"),
                with("\"Delft\"", "5", "#/shippingAddress/city"),
                with("\"currency\"", "\"couponCode\": \"X\", \"currency\"", "#/couponCode"),
                with("\"quantity\"", "\"qty\": 1, \"quantity\"", "#/items/0/qty"),
                with("\"city\"", "\"zip\": 1, \"city\"", "#/shippingAddress/zip"),
                with("\"currency\"", "\"a/b c~\": 1, \"currency\"", "#/a~1b%20c~0"),
                with("\"currency\"", "\"total\": 1e999999999, \"currency\"", "#/total"));
    }

    private static Arguments with(String what, String instead, String pointers) {
        return arguments(GOOD.replace(",\n ", ", ").replace(what, instead), pointers);
    }

    private static Arguments with(
            String what, String instead, String none, String more, String other, String pointers) {
        return arguments(GOOD.replace(what, instead).replace(more, other), pointers);
    }

    @ParameterizedTest
    @MethodSource("invalid")
    void ruleViolationHasPointer(String text, String pointers) {
        ParseResult reading = Assertions.assertTimeout(Duration.ofSeconds(10), () -> read(text));

        assertThat(reading)
                .asInstanceOf(type(ParseResult.Invalid.class))
                .extracting(invalid ->
                        invalid.faults().stream().map(Fault::pointer).distinct().collect(joining(" ")))
                .isEqualTo(pointers);
    }

    @Test
    void everyFaultIsListed() {
        String text = GOOD.replace("\"quantity\": 2", "\"quantity\": 0, \"qty\": 2")
                .replace("50.00", "0.001")
                .replace("\"NL\"", "\"XX\"")
                .replace("\"C-789\"", "\"\"");

        assertThat(((ParseResult.Invalid) read(text)).faults())
                .extracting(Fault::pointer)
                .containsExactlyInAnyOrder(
                        "#/customerId",
                        "#/items/0/quantity",
                        "#/items/0/qty",
                        "#/items/0/unitPrice",
                        "#/shippingAddress/country");
    }

    @Test
    void aHundredThousandItemsAreOneFaultSoonFound() {
        ParseResult reading = Assertions.assertTimeout(Duration.ofSeconds(10), () -> read(withItems(100_000)));

        assertThat(((ParseResult.Invalid) reading).faults())
                .containsExactly(new Fault("#/items", "must have at most 1000 items but has 100000"));
    }

    @Test
    void aHundredThousandUnknownFieldsAreSoonFound() {
        String fields =
                IntStream.range(0, 100_000).mapToObj(i -> "\"f" + i + "\":1").collect(joining(","));

        ParseResult reading = Assertions.assertTimeout(Duration.ofSeconds(10), () -> read("{" + fields + "}"));

        assertThat(((ParseResult.Invalid) reading).faults())
                .extracting(Fault::pointer)
                .containsExactly("#");
    }

    @Test
    void truncatedOrderIsNeverValid() {
        byte[] good = GOOD.getBytes(StandardCharsets.UTF_8);
        List<ParseResult> readings = new ArrayList<>();
        for (int length = 0; length < good.length; length++) {
            readings.add(reader.read(Arrays.copyOf(good, length)));
        }

        assertThat(readings).allMatch(reading -> reading instanceof ParseResult.Unreadable);
    }

    private static String withItems(int count) {
        String items = IntStream.range(0, count)
                .mapToObj(i -> "{\"sku\":\"S" + i + "\",\"quantity\":1,\"unitPrice\":1}")
                .collect(joining(","));
        return GOOD.replace("{\"sku\": \"SADDLE-01\", \"quantity\": 2, \"unitPrice\": 50.00}", items);
    }

    private Order valid(String text) {
        return ((ParseResult.Valid) read(text)).order();
    }

    private ParseResult read(String text) {
        return reader.read(text.getBytes(StandardCharsets.UTF_8));
    }
}
