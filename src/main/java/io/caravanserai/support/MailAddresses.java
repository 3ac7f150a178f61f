package io.caravanserai.support;

import java.util.Optional;
import java.util.regex.Pattern;

/** Makes the mail addresses of customers of their ids. */
public final class MailAddresses {
    private static final String ID = "{customerId}";

    /**
     * What a browser takes for an address
     * (https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address): one address, no name, ASCII.
     */
    private static final Pattern ADDRESS = Pattern.compile("[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+"
            + "@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*");

    private static final int LONGEST = 254;

    private final String pattern;

    /** @param pattern an address in which {@code {customerId}} stands for the id */
    public MailAddresses(String pattern) {
        this.pattern = pattern;
    }

    /** The address of a customer; empty when it is none, or the customer is not known. */
    public Optional<String> of(String customerId) {
        return Optional.ofNullable(customerId)
                .map(id -> pattern.replace(ID, id))
                .filter(MailAddresses::isAddress);
    }

    public static boolean isAddress(String text) {
        return text.length() <= LONGEST && ADDRESS.matcher(text).matches();
    }

    /** Whether a text can become an address, and has nothing in braces but {@code {customerId}}. */
    public static boolean isPattern(String text) {
        String rest = text.replace(ID, "");
        return rest.chars().noneMatch(c -> c == '{' || c == '}' || c == '$')
                && (rest.isEmpty() || isAddress(text.replace(ID, "id")));
    }
}
