package io.caravanserai.support;

import java.util.Optional;
import java.util.regex.Pattern;

/** Builds the mail addresses of customers from customer ids. */
public final class MailAddresses {
    private static final String ID = "{customerId}";

    /**
     * The definition of the HTML standard (https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address): one
     * address, no display name, ASCII.
     */
    private static final Pattern ADDRESS = Pattern.compile("[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+"
            + "@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*");

    private static final int MAX_LENGTH = 254;

    private final String pattern;

    /** @param pattern an address in which {@code {customerId}} is the placeholder for the id */
    public MailAddresses(String pattern) {
        this.pattern = pattern;
    }

    /** The address of a customer; empty when the customer id is null or the result is not a valid address. */
    public Optional<String> of(String customerId) {
        return Optional.ofNullable(customerId)
                .map(id -> pattern.replace(ID, id))
                .filter(MailAddresses::isAddress);
    }

    public static boolean isAddress(String text) {
        return text.length() <= MAX_LENGTH && ADDRESS.matcher(text).matches();
    }

    /** Whether a text becomes an address with the id filled in, and has no braces other than {@code {customerId}}. */
    public static boolean isPattern(String text) {
        String rest = text.replace(ID, "");
        return rest.chars().noneMatch(c -> c == '{' || c == '}' || c == '$')
                && (rest.isEmpty() || isAddress(text.replace(ID, "id")));
    }
}
