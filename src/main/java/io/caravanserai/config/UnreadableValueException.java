package io.caravanserai.config;

/** A text is no value of its setting. The message says what the text must be and follows "it must be". */
final class UnreadableValueException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnreadableValueException(String wanted) {
        super(wanted, null, false, false);
    }
}
