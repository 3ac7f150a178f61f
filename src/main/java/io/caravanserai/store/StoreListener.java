package io.caravanserai.store;

import java.util.List;

/**
 * Told of every commit, on the thread that writes. Implementations found by {@link java.util.ServiceLoader} are added
 * to those given by hand.
 */
public interface StoreListener {

    /** The named units have run and are about to be committed together. */
    default void beforeCommit(List<String> names) {}

    /** The named units are durable; nobody has been told yet. */
    default void afterCommit(List<String> names, long nanos) {}

    /** The named units were rolled back because the database failed. */
    default void failed(List<String> names, Exception cause) {}
}
