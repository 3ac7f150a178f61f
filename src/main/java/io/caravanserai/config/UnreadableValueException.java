package io.caravanserai.config;

/** The text of a setting is invalid. The message describes a valid text, as the continuation of "it must be". */
final class UnreadableValueException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnreadableValueException(String wanted) {
        super(wanted, null, false, false);
    }
}
