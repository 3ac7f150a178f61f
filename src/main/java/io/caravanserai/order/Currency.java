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
 * A currency of ISO 4217 in which amounts can be written. The list of active ones is kept in {@code iso-4217.txt}, which
 * names its source: the list of Java is as old as the Java that runs, and also holds currencies that are gone.
 *
 * @param code three capital letters
 * @param decimals of the minor unit
 */
public record Currency(@JsonValue String code, int decimals) {
    private static final Map<String, Currency> ACTIVE = read();

    /** Empty unless the currency is active and has a minor unit. */
    public static Optional<Currency> active(String code) {
        return Optional.ofNullable(ACTIVE.get(code));
    }

    /**
     * Also a currency that is gone: an order keeps the one it was taken in.
     *
     * @throws IllegalArgumentException when there never was such a currency
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
