package io.caravanserai.flow.deploy;

import io.caravanserai.flow.yaml.Fault;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The refused files of the folder, and requests to retry these files. Thread-safe. */
public final class Refusals {
    private static final Logger LOG = LoggerFactory.getLogger(Refusals.class);

    private final Clock clock;
    private final Map<String, Refusal> byFile = new ConcurrentHashMap<>();
    private final AtomicBoolean retryDue = new AtomicBoolean();

    public Refusals(Clock clock) {
        this.clock = clock;
    }

    /** Records and logs the faults of a file, unless the same faults are recorded already. */
    void refuse(String file, List<Fault> faults) {
        Refusal before = byFile.get(file);
        if (before != null && before.errors().equals(faults)) {
            return;
        }
        byFile.put(file, new Refusal(clock.instant(), faults));
        if (byFile.size() > 1) {
            // Two refused files may be valid together.
            requestRetry();
        }
        faults.forEach(fault -> LOG.atError()
                .addKeyValue("file", file)
                .addKeyValue("fault", fault)
                .log("flow refused"));
    }

    void refuse(String file, String message) {
        refuse(file, List.of(Fault.atStart(file, message)));
    }

    /** Removes the refusal of a file; called when the file runs or is deleted. */
    void clear(String file) {
        byFile.remove(file);
    }

    /** Returns the refusal of a file; null when the file is not refused. */
    Refusal get(String file) {
        return byFile.get(file);
    }

    public boolean contains(String file) {
        return byFile.containsKey(file);
    }

    /** Returns a copy of the set of refused files. */
    Set<String> files() {
        return Set.copyOf(byFile.keySet());
    }

    /** Requests a retry, because a refused file may be valid after a change of another flow or Kamelet. */
    void requestRetry() {
        retryDue.set(true);
    }

    /** Whether a retry was requested since the last call. */
    boolean takeRetryRequest() {
        return retryDue.getAndSet(false);
    }
}
