package io.caravanserai.outside;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Counts the failed attempts of calls that are being retried, by idempotency key and service. Bounded: the count of an
 * evicted call restarts at 1. Thread-safe.
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

    /** @param last why the last attempt failed; null without a failed attempt */
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
