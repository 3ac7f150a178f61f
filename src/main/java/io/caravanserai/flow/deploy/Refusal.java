package io.caravanserai.flow.deploy;

import io.caravanserai.flow.yaml.Fault;
import java.time.Instant;
import java.util.List;

/** A refused text in the folder; the running version continues. */
public record Refusal(Instant at, List<Fault> errors) {

    /** The message of the innermost cause, or the cause's class when the cause has no message. */
    static String reason(Throwable e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }
}
