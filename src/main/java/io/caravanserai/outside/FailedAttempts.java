package io.caravanserai.outside;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How often the calls have failed that are being tried again, by idempotency key and service. Bounded: what is forgotten
 * is counted from 1 again. Thread-safe.
 */
final class FailedAttempts {
    private static final int MAX_REMEMBERED = 10_000;

    private final Map<String, Failed> failed = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Failed> eldest) {
            return size() > MAX_REMEMBERED;
        }
    };

    /** @param last why the last attempt failed; null when none has */
    record Failed(int attempts, String last) {}

    synchronized Failed of(String call) {
        return failed.getOrDefault(call, new Failed(0, null));
    }

    synchronized void add(String call, int attempts, String last) {
        failed.put(call, new Failed(attempts, last));
    }

    synchronized void forget(String call) {
        failed.remove(call);
    }
}
