package io.caravanserai.support;

import java.util.Locale;

/** Tells which headers of a message from outside would steer the hub or Camel. */
public final class MessageHeaders {
    private static final String SAGA = "long-running-action";
    private static final String HUB = "caravanserai";
    private static final String CAMEL = "camel";
    private static final String CAMEL_CLASSES = "org.apache.camel.";

    private MessageHeaders() {}

    /**
     * Whether a header names the saga of a message, or holds something else that only the hub sets, such as
     * {@code CaravanseraiSagaId}.
     *
     * @param name in any case, or in the spelling of JMS: {@code Long_HYPHEN_Running_HYPHEN_Action}
     */
    public static boolean isOfTheHub(String name) {
        String plain = plain(name);
        return plain.equals(SAGA) || plain.startsWith(HUB);
    }

    /** Whether a header steers a component or an EIP of Camel. */
    public static boolean isOfCamel(String name) {
        String plain = plain(name);
        return plain.startsWith(CAMEL) || plain.startsWith(CAMEL_CLASSES);
    }

    private static String plain(String name) {
        return name.replace("_HYPHEN_", "-").replace("_DOT_", ".").toLowerCase(Locale.ROOT);
    }
}
