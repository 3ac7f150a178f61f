package io.caravanserai.order;

import java.math.BigDecimal;
import java.util.Currency;

/**
 * An amount in a currency, exact: its scale is always the currency's number of decimals.
 *
 * @param amount zero or more, with the currency's decimals
 */
public record Money(BigDecimal amount, Currency currency) {

    /**
     * @throws ArithmeticException when the amount has more decimals than the currency
     */
    public Money {
        amount = amount.setScale(decimals(currency));
    }

    /** Decimals of the currency's minor unit; 0 where ISO 4217 names none (such as gold). */
    public static int decimals(Currency currency) {
        return Math.max(0, currency.getDefaultFractionDigits());
    }
}
