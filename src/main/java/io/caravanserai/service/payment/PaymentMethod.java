package io.caravanserai.service.payment;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The behaviour of a test payment method, encoded in the name. */
sealed interface PaymentMethod {

    /** The provider captures the money after the given number of transient failures. */
    record Taken(int failuresBefore, Duration answersAfter) implements PaymentMethod {}

    /** The provider declines, also for an unknown name. */
    record Declined() implements PaymentMethod {}

    Pattern FLAKY = Pattern.compile("pm_flaky_(\\d{1,6})");
    Pattern SLOW = Pattern.compile("pm_slow_(\\d{1,8})");

    static PaymentMethod of(String name) {
        if (name.equals("pm_card_visa")) {
            return new Taken(0, Duration.ZERO);
        }
        Matcher flaky = FLAKY.matcher(name);
        if (flaky.matches()) {
            return new Taken(Integer.parseInt(flaky.group(1)), Duration.ZERO);
        }
        Matcher slow = SLOW.matcher(name);
        if (slow.matches()) {
            return new Taken(0, Duration.ofMillis(Long.parseLong(slow.group(1))));
        }
        return new Declined();
    }
}
