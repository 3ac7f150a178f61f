package io.caravanserai.order;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CurrencyTest {

    @ParameterizedTest
    @CsvSource({
        "EUR, 2", "USD, 2", "JPY, 0", "KRW, 0", "KWD, 3", "TND, 3", "CLF, 4", "UYW, 4", "UYI, 0", "XCG, 2", "ZWG, 2",
        "SLE, 2", "VED, 2", "VES, 2", "BYN, 2", "MRU, 2", "STN, 2", "XAD, 2", "XOF, 0", "CHE, 2"
    })
    void anActiveCurrencyHasItsDecimals(String code, int decimals) {
        assertThat(Currency.active(code)).contains(new Currency(code, decimals));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XDR", "XSU", "XUA", "XBA", "XBD", "HRK", "BGN", "BYR", "ZWL",
                "SLL", "CUC", "ANG", "VEF", "MRO", "STD", "LTL", "DEM", "eur", "EUR ", "", "QQQ"
            })
    void aWithdrawnCurrencyOrAnotherCodeIsNotActive(String code) {
        assertThat(Currency.active(code)).isEmpty();
    }

    @Test
    void anOrderKeepsAWithdrawnCurrency() throws Exception {
        Currency kuna = OrderJson.MAPPER.readValue("\"HRK\"", Currency.class);

        assertThat(kuna).isEqualTo(new Currency("HRK", 2));
        assertThat(OrderJson.MAPPER.writeValueAsString(kuna)).isEqualTo("\"HRK\"");
    }

    @Test
    void theCountriesOfTheJavaRuntimeMatchIso3166() {
        // ISO 3166-1 has had 249 officially assigned codes since South Sudan's in 2011.
        assertThat(Locale.getISOCountries(Locale.IsoCountryCode.PART1_ALPHA2))
                .hasSize(249)
                .contains("SS", "CW", "BQ", "SX", "AX", "TL")
                .doesNotContain("AN", "CS", "YU", "XK", "UK", "EU", "XX", "ZZ", "TP");
    }
}
