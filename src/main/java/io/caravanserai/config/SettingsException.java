package io.caravanserai.config;

import java.util.List;

/** The hub cannot start with these settings. The message has one line for each fault, with the key. */
public final class SettingsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public SettingsException(List<String> faults) {
        super(String.join(System.lineSeparator(), faults));
    }
}
