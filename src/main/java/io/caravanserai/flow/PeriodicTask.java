package io.caravanserai.flow;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A work that is done again and again, whatever becomes of it. A failure that stays is logged once. */
final class PeriodicTask implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(PeriodicTask.class);

    private final Runnable work;
    private String failure = "";

    PeriodicTask(Runnable work) {
        this.work = work;
    }

    @Override
    public void run() {
        try {
            work.run();
            failure = "";
        } catch (RuntimeException | Error e) {
            if (!e.toString().equals(failure)) {
                failure = e.toString();
                LOG.warn("looking after the flows failed; they go on as they are, and it is tried again", e);
            }
        }
    }
}
