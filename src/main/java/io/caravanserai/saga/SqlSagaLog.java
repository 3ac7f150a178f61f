package io.caravanserai.saga;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.caravanserai.store.Transaction;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The SQL of the saga log. Thread-safe; each call runs in the given transaction. */
public final class SqlSagaLog {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<Map<String, String>> OPTIONS = new TypeReference<>() {};

    private static final String BEGIN = """
            INSERT INTO sagas (saga_id, status, deadline, deadline_by_flow, created_at, updated_at)
            VALUES (?, 'RUNNING', ?, ?, ?, ?)
            ON CONFLICT (saga_id) DO NOTHING
            """;
    private static final String JOIN = """
            INSERT INTO saga_steps (saga_id, position, compensation, completion, options, status, joined_at)
            SELECT saga_id, (SELECT COUNT(*) FROM saga_steps t WHERE t.saga_id = s.saga_id), ?, ?, ?, 'JOINED',
              CAST(? AS BIGINT)
            FROM sagas s WHERE saga_id = ? AND status = 'RUNNING'
            """;
    private static final String FIND = """
            SELECT saga_id, status, cause, detail, deadline, created_at, updated_at, ended_at
            FROM sagas WHERE saga_id = ?
            """;
    private static final String LIST = """
            SELECT saga_id, status, cause, detail, deadline, created_at, updated_at, ended_at
            FROM sagas WHERE saga_id < ? AND (? IS NULL OR status = ?)
            ORDER BY saga_id DESC LIMIT ?
            """;
    private static final String LIST_RUNNING = """
            SELECT saga_id, status, cause, detail, deadline, created_at, updated_at, ended_at
            FROM sagas
            WHERE saga_id IN (SELECT saga_id FROM sagas WHERE ended_at IS NULL AND status = 'RUNNING') AND saga_id < ?
            ORDER BY saga_id DESC LIMIT ?
            """;
    private static final String LIST_COMPENSATION = """
            SELECT saga_id, status, cause, detail, deadline, created_at, updated_at, ended_at
            FROM sagas
            WHERE status IN ('COMPENSATING', 'COMPENSATED', 'STUCK') AND status = ? AND saga_id < ?
            ORDER BY saga_id DESC LIMIT ?
            """;
    private static final String STEPS = """
            SELECT position, compensation, completion, options, status, attempts, error, joined_at
            FROM saga_steps WHERE saga_id = ? ORDER BY position
            """;
    private static final String STEPS_PENDING_COMPLETION = """
            SELECT position, compensation, completion, options, status, attempts, error, joined_at
            FROM saga_steps WHERE saga_id = ? AND completion IS NOT NULL AND status = 'JOINED' ORDER BY position
            """;
    private static final String TRANSITION = """
            UPDATE sagas SET status = ?, cause = ?, detail = ?, updated_at = ?, ended_at = ?
            WHERE saga_id = ? AND status = ?
            """;
    private static final String MARK_STEP =
            "UPDATE saga_steps SET status = ?, error = NULL WHERE saga_id = ? AND position = ? AND status <> ?";
    private static final String FAIL_STEP =
            "UPDATE saga_steps SET attempts = ?, error = ? WHERE saga_id = ? AND position = ?";
    private static final String RESET_ATTEMPTS = "UPDATE saga_steps SET attempts = 0 WHERE saga_id = ?";
    private static final String REJOIN_ALL =
            "UPDATE saga_steps SET status = 'JOINED', attempts = 0 WHERE saga_id = ? AND status = 'COMPENSATED'";
    private static final String OVERDUE =
            "SELECT saga_id FROM sagas WHERE ended_at IS NULL AND status = 'RUNNING' AND deadline <= ? LIMIT ?";
    private static final String OPEN = "SELECT saga_id FROM sagas WHERE ended_at IS NULL AND status = ?";
    private static final String OPEN_ENDPOINTS = """
            SELECT t.compensation, t.completion FROM sagas s JOIN saga_steps t ON t.saga_id = s.saga_id
            WHERE s.ended_at IS NULL
            UNION
            SELECT t.completion, t.completion FROM saga_steps t
            WHERE t.completion IS NOT NULL AND t.status = 'JOINED'
            """;
    private static final String PENDING_COMPLETIONS = """
            SELECT DISTINCT s.saga_id FROM saga_steps t JOIN sagas s ON s.saga_id = t.saga_id
            WHERE t.completion IS NOT NULL AND t.status = 'JOINED' AND s.status = 'COMPLETED'
            """;
    private static final String LIMIT = """
            UPDATE sagas SET deadline = ?, deadline_by_flow = 1
            WHERE saga_id = ? AND status = 'RUNNING' AND (deadline_by_flow = 0 OR deadline > ?)
            """;
    private static final String COUNT_OPEN =
            "SELECT status, COUNT(*) FROM sagas WHERE ended_at IS NULL GROUP BY status";

    private final Clock clock;

    public SqlSagaLog(Clock clock) {
        this.clock = clock;
    }

    /**
     * Inserts a running saga; returns false when the id exists.
     *
     * @param byFlow whether a timeout in the flow, not the default of the hub, set the deadline
     */
    boolean begin(Transaction tx, String sagaId, Instant deadline, boolean byFlow) throws SQLException {
        Instant now = clock.instant();
        return tx.update(BEGIN, sagaId, deadline, byFlow ? 1 : 0, now, now) == 1;
    }

    /** Appends a step; returns false, without effect, when the saga is not running. */
    boolean join(Transaction tx, String sagaId, SagaStep step) throws SQLException {
        return tx.update(JOIN, step.compensation(), step.completion(), json(step.options()), step.joinedAt(), sagaId)
                == 1;
    }

    /**
     * Sets the deadline of a running saga from the timeout of a block in the flow. The first timeout replaces the
     * default, longer or shorter. Of several timeouts the earliest deadline applies, as in Camel.
     */
    void limit(Transaction tx, String sagaId, Instant deadline) throws SQLException {
        tx.update(LIMIT, deadline, sagaId, deadline);
    }

    /** Changes the state of a saga; returns false when the saga is not in the expected state. */
    boolean transition(Transaction tx, String sagaId, SagaStatus from, SagaState to) throws SQLException {
        Instant now = clock.instant();
        return tx.update(
                        TRANSITION,
                        to.status().name(),
                        to.why().map(cause -> cause.kind().name()).orElse(null),
                        to.why().map(Cause::detail).orElse(null),
                        now,
                        to.status().isEnd() ? now : null,
                        sagaId,
                        from.name())
                == 1;
    }

    public Optional<SagaRecord> find(Transaction tx, String sagaId) throws SQLException {
        return tx.first(FIND, SqlSagaLog::saga, sagaId);
    }

    /**
     * Sagas, newest first.
     *
     * @param status null for all
     * @param before only ids below this id; null starts at the newest
     */
    public List<SagaRecord> list(Transaction tx, SagaStatus status, String before, int limit) throws SQLException {
        String below = before == null ? "\uffff" : before;
        if (status == SagaStatus.RUNNING) {
            return tx.list(LIST_RUNNING, SqlSagaLog::saga, below, limit);
        }
        // Most sagas complete: a scan from the newest finds COMPLETED sagas at once.
        String name = status == null ? null : status.name();
        return status == null || status == SagaStatus.COMPLETED
                ? tx.list(LIST, SqlSagaLog::saga, below, name, name, limit)
                : tx.list(LIST_COMPENSATION, SqlSagaLog::saga, name, below, limit);
    }

    /** The steps of a saga in the order of joining. */
    public List<SagaStep> steps(Transaction tx, String sagaId) throws SQLException {
        return tx.list(STEPS, SqlSagaLog::step, sagaId);
    }

    /** The steps of a saga with a pending completion call. */
    List<SagaStep> stepsWithPendingCompletion(Transaction tx, String sagaId) throws SQLException {
        return tx.list(STEPS_PENDING_COMPLETION, SqlSagaLog::step, sagaId);
    }

    /** The number of unfinished sagas by status. */
    public Map<SagaStatus, Long> countOpen(Transaction tx) throws SQLException {
        Map<SagaStatus, Long> counts = new java.util.EnumMap<>(SagaStatus.class);
        tx.list(COUNT_OPEN, row -> counts.put(SagaStatus.valueOf(row.getString(1)), row.getLong(2)));
        return counts;
    }

    /** Sets the status of a step; returns false when the step already has the status. */
    boolean markStep(Transaction tx, String sagaId, int position, SagaStep.Status status) throws SQLException {
        return tx.update(MARK_STEP, status.name(), sagaId, position, status.name()) == 1;
    }

    void failStep(Transaction tx, String sagaId, int position, int attempts, String error) throws SQLException {
        tx.update(FAIL_STEP, attempts, error, sagaId, position);
    }

    void resetAttempts(Transaction tx, String sagaId) throws SQLException {
        tx.update(RESET_ATTEMPTS, sagaId);
    }

    void rejoinAll(Transaction tx, String sagaId) throws SQLException {
        tx.update(REJOIN_ALL, sagaId);
    }

    /** @param now the time of the clock of deadlines */
    List<String> overdue(Transaction tx, Instant now, int limit) throws SQLException {
        return tx.list(OVERDUE, row -> row.getString(1), now, limit);
    }

    List<String> withPendingCompletions(Transaction tx) throws SQLException {
        return tx.list(PENDING_COMPLETIONS, row -> row.getString(1));
    }

    /** The endpoints that unfinished sagas and pending completions may still call. */
    public Set<String> openEndpoints(Transaction tx) throws SQLException {
        Set<String> endpoints = new HashSet<>();
        tx.list(OPEN_ENDPOINTS, row -> {
            endpoints.add(row.getString(1));
            endpoints.add(row.getString(2));
            return null;
        });
        endpoints.remove(null);
        return endpoints;
    }

    /** Ids of sagas in a status that is not final. */
    public List<String> open(Transaction tx, SagaStatus status) throws SQLException {
        return tx.list(OPEN, row -> row.getString(1), status.name());
    }

    private static SagaRecord saga(ResultSet row) throws SQLException {
        long endedAt = row.getLong("ended_at");
        Instant ended = row.wasNull() ? null : Instant.ofEpochMilli(endedAt);
        return new SagaRecord(
                row.getString("saga_id"),
                state(row),
                Instant.ofEpochMilli(row.getLong("deadline")),
                Instant.ofEpochMilli(row.getLong("created_at")),
                Instant.ofEpochMilli(row.getLong("updated_at")),
                ended);
    }

    private static SagaState state(ResultSet row) throws SQLException {
        String kind = row.getString("cause");
        Cause cause = kind == null ? null : new Cause(Cause.Kind.valueOf(kind), row.getString("detail"));
        return switch (SagaStatus.valueOf(row.getString("status"))) {
            case RUNNING -> new SagaState.Running();
            case COMPENSATING -> new SagaState.Compensating(cause);
            case COMPLETED -> new SagaState.Completed();
            case COMPENSATED -> new SagaState.Compensated(cause);
            case STUCK -> new SagaState.Stuck(cause);
        };
    }

    private static SagaStep step(ResultSet row) throws SQLException {
        return new SagaStep(
                row.getInt("position"),
                row.getString("compensation"),
                row.getString("completion"),
                options(row.getString("options")),
                SagaStep.Status.valueOf(row.getString("status")),
                row.getInt("attempts"),
                row.getString("error"),
                Instant.ofEpochMilli(row.getLong("joined_at")));
    }

    private static String json(Map<String, String> options) {
        try {
            return JSON.writeValueAsString(options);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("cannot write saga options as JSON", e);
        }
    }

    private static Map<String, String> options(String json) {
        try {
            return JSON.readValue(json, OPTIONS);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot read saga options: " + json, e);
        }
    }
}
