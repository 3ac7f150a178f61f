package io.caravanserai.flow.deploy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.order.OrderJson;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Stores every accepted text of every flow, with the Kamelets. Thread-safe. */
public final class SqlFlowVersions {
    private static final String NEWEST = """
            SELECT file, version, hash, folder_hash, text, kamelets, who, at FROM flow_versions
            WHERE file = ? ORDER BY version DESC LIMIT 1
            """;
    private static final String ONE = """
            SELECT file, version, hash, folder_hash, text, kamelets, who, at FROM flow_versions WHERE file = ? AND version = ?
            """;
    private static final String ALL = """
            SELECT file, version, hash, folder_hash, text, kamelets, who, at FROM flow_versions WHERE file = ? ORDER BY version DESC
            """;
    private static final String FILES = "SELECT DISTINCT file FROM flow_versions";
    private static final String INSERT = """
            INSERT INTO flow_versions (file, version, hash, folder_hash, text, kamelets, who, at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """;

    private static final String DELETE = """
            DELETE FROM flow_versions WHERE file = ? AND version = ?
            """;

    private final Store store;
    private final Clock clock;

    public SqlFlowVersions(Store store, Clock clock) {
        this.store = store;
        this.clock = clock;
    }

    /**
     * An accepted version.
     * @param isNew whether the version was recorded by this call
     */
    public record Accepted(FlowVersion version, boolean isNew) {}

    /**
     * Returns the newest version when the candidate is equal, else records a new version.
     * @param folderHash hash of the content of the folders
     */
    public CompletableFuture<Accepted> accept(FlowVersion candidate, String folderHash, String who) {
        Instant at = clock.instant();
        return store.write("accept-flow", candidate.file(), tx -> accept(tx, candidate, folderHash, who, at));
    }

    private static Accepted accept(Transaction tx, FlowVersion candidate, String folderHash, String who, Instant at)
            throws SQLException {
        String file = candidate.file();
        String hash = candidate.hash();
        Optional<FlowVersion> newest = tx.first(NEWEST, SqlFlowVersions::read, file);
        if (newest.isPresent()
                && newest.get().hash().equals(hash)
                && newest.get().folderHash().equals(folderHash)) {
            return new Accepted(newest.get(), false);
        }
        int number = newest.map(FlowVersion::version).orElse(0) + 1;
        Map<String, String> kamelets = candidate.kamelets();
        tx.update(INSERT, file, number, hash, folderHash, candidate.text(), json(kamelets), who, at);
        return new Accepted(new FlowVersion(file, number, hash, folderHash, candidate.text(), kamelets, who, at), true);
    }

    /** Deletes a version that did not start, so that no order can have begun in the version. */
    public CompletableFuture<Integer> withdraw(FlowVersion version) {
        return store.write("withdraw-flow", version.file(), tx -> tx.update(DELETE, version.file(), version.version()));
    }

    /** Returns the files that have had a version. */
    public CompletableFuture<List<String>> files() {
        return store.read(tx -> tx.list(FILES, row -> row.getString(1)));
    }

    public CompletableFuture<Optional<FlowVersion>> newest(String file) {
        return store.read(tx -> tx.first(NEWEST, SqlFlowVersions::read, file));
    }

    public CompletableFuture<Optional<FlowVersion>> one(String file, int version) {
        return store.read(tx -> tx.first(ONE, SqlFlowVersions::read, file, version));
    }

    /** Returns all versions of a file, newest first. */
    public CompletableFuture<List<FlowVersion>> all(String file) {
        return store.read(tx -> tx.list(ALL, SqlFlowVersions::read, file));
    }

    /** Like {@link #all}, for a request of an operator: the query does not block a reader that orders use. */
    public CompletableFuture<List<FlowVersion>> list(String file) {
        return store.list(tx -> tx.list(ALL, SqlFlowVersions::read, file));
    }

    private static FlowVersion read(ResultSet row) throws SQLException {
        String folderHash = row.getString("folder_hash");
        return new FlowVersion(
                row.getString("file"),
                row.getInt("version"),
                row.getString("hash"),
                folderHash == null ? row.getString("hash") : folderHash,
                row.getString("text"),
                kamelets(row.getString("kamelets")),
                row.getString("who"),
                Instant.ofEpochMilli(row.getLong("at")));
    }

    private static String json(Map<String, String> kamelets) {
        try {
            return OrderJson.MAPPER.writeValueAsString(kamelets);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("texts can be written as JSON", e);
        }
    }

    private static Map<String, String> kamelets(String json) {
        try {
            return OrderJson.MAPPER.readValue(json, new TypeReference<>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the Kamelets of a flow version cannot be read", e);
        }
    }
}
