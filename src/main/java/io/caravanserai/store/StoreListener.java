package io.caravanserai.store;

import java.util.List;

/**
 * Notified of every commit, on the writer thread. Implementations found by {@link java.util.ServiceLoader} are added to
 * the explicitly given ones.
 */
public interface StoreListener {

    /** The named units have run and are about to be committed together. */
    default void beforeCommit(List<String> names) {}

    /** The named units are durable; the futures are not yet complete. */
    default void afterCommit(List<String> names, long nanos) {}

    /** The named units were rolled back because the database failed. */
    default void failed(List<String> names, Exception cause) {}
}
