package io.caravanserai.order;

import java.math.BigDecimal;

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

    /** Decimals of the currency's minor unit. */
    public static int decimals(Currency currency) {
        return currency.decimals();
    }
}
