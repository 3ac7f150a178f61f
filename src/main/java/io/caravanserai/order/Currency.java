package io.caravanserai.order;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * An ISO 4217 currency that can express amounts. The active currencies are listed in {@code iso-4217.txt}, which names
 * the source. The list of the Java runtime is as old as that runtime and also contains withdrawn currencies.
 *
 * @param code three capital letters
 * @param decimals number of decimals of the minor unit
 */
public record Currency(@JsonValue String code, int decimals) {
    private static final Map<String, Currency> ACTIVE = read();

    /** The currency of a code; empty unless the currency is active and has a minor unit. */
    public static Optional<Currency> active(String code) {
        return Optional.ofNullable(ACTIVE.get(code));
    }

    /**
     * The currency of a code, withdrawn ones included: an order keeps the currency that was active at intake.
     *
     * @throws IllegalArgumentException when neither list has the code
     */
    @JsonCreator
    public static Currency getInstance(String code) {
        Currency active = ACTIVE.get(code);
        if (active != null) {
            return active;
        }
        return new Currency(
                code, Math.max(0, java.util.Currency.getInstance(code).getDefaultFractionDigits()));
    }

    @Override
    public String toString() {
        return code;
    }

    private static Map<String, Currency> read() {
        Map<String, Currency> active = new HashMap<>();
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(Currency.class.getResourceAsStream("/iso-4217.txt"), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.startsWith("#")) {
                    String[] codes = line.split(":? ");
                    for (int i = 1; i < codes.length; i++) {
                        active.put(codes[i], new Currency(codes[i], Integer.parseInt(codes[0])));
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Map.copyOf(active);
    }
}
