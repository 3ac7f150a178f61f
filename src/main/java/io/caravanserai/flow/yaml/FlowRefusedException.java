package io.caravanserai.flow.yaml;

import java.util.List;

/** A text is not accepted as a flow. Nothing has changed. */
public final class FlowRefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient List<Fault> faults;

    public FlowRefusedException(List<Fault> faults) {
        super(faults.isEmpty() ? "refused" : faults.get(0).toString());
        this.faults = List.copyOf(faults);
    }

    /** At least one fault, in the order of the text. */
    public List<Fault> faults() {
        return faults;
    }
}
