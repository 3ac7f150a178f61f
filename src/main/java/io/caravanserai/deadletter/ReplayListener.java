package io.caravanserai.deadletter;

import io.caravanserai.store.Transaction;
import java.sql.SQLException;

/** Learns of each ended replay of a dead letter. */
@FunctionalInterface
public interface ReplayListener {

    /**
     * A message was handled after a replay, or failed again. Called in the unit of work that records the result. Not
     * called while the target of the replay is unavailable.
     *
     * @param error the failure of this replay; null when the message was handled
     */
    void replayed(Transaction tx, DeadLetter letter, Throwable error) throws SQLException;
}
