package io.caravanserai.flow;

import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Keeps every accepted text of every flow. Thread-safe. */
final class SqlFlowVersions {
    private static final String NEWEST = """
            SELECT file, version, hash, text, who, at FROM flow_versions
            WHERE file = ? ORDER BY version DESC LIMIT 1
            """;
    private static final String ONE = """
            SELECT file, version, hash, text, who, at FROM flow_versions WHERE file = ? AND version = ?
            """;
    private static final String ALL = """
            SELECT file, version, hash, text, who, at FROM flow_versions WHERE file = ? ORDER BY version DESC
            """;
    private static final String INSERT = """
            INSERT INTO flow_versions (file, version, hash, text, who, at) VALUES (?, ?, ?, ?, ?, ?)
            """;

    private static final String DELETE = """
            DELETE FROM flow_versions WHERE file = ? AND version = ?
            """;

    private final Store store;

    SqlFlowVersions(Store store) {
        this.store = store;
    }

    /**
     * A version that may run.
     *
     * @param isNew whether it has just been recorded
     */
    record Accepted(FlowVersion version, boolean isNew) {}

    /** The newest version when it has this text, else a new one of it. */
    CompletableFuture<Accepted> accept(String file, String text, String who, Instant at) {
        return store.write("accept-flow", file, tx -> accept(tx, file, text, who, at));
    }

    private static Accepted accept(Transaction tx, String file, String text, String who, Instant at)
            throws SQLException {
        String hash = FlowVersion.hashOf(text);
        Optional<FlowVersion> newest = tx.first(NEWEST, SqlFlowVersions::read, file);
        if (newest.isPresent() && newest.get().hash().equals(hash)) {
            return new Accepted(newest.get(), false);
        }
        int number = newest.map(FlowVersion::version).orElse(0) + 1;
        tx.update(INSERT, file, number, hash, text, who, at);
        return new Accepted(new FlowVersion(file, number, hash, text, who, at), true);
    }

    /** Takes back a version under which no order can have begun, for it did not start. */
    CompletableFuture<Integer> withdraw(FlowVersion version) {
        return store.write("withdraw-flow", version.file(), tx -> tx.update(DELETE, version.file(), version.version()));
    }

    CompletableFuture<Optional<FlowVersion>> newest(String file) {
        return store.read(tx -> tx.first(NEWEST, SqlFlowVersions::read, file));
    }

    CompletableFuture<Optional<FlowVersion>> one(String file, int version) {
        return store.read(tx -> tx.first(ONE, SqlFlowVersions::read, file, version));
    }

    /** All versions of a file, newest first. */
    CompletableFuture<List<FlowVersion>> all(String file) {
        return store.read(tx -> tx.list(ALL, SqlFlowVersions::read, file));
    }

    private static FlowVersion read(ResultSet row) throws SQLException {
        return new FlowVersion(
                row.getString("file"),
                row.getInt("version"),
                row.getString("hash"),
                row.getString("text"),
                row.getString("who"),
                Instant.ofEpochMilli(row.getLong("at")));
    }
}
