package io.caravanserai.store;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A connection with a cache of prepared statements, which lives as long as the connection. For one thread. */
final class JdbcTransaction implements Transaction, AutoCloseable {
    private final Connection connection;
    private final Map<String, PreparedStatement> statements = new HashMap<>();
    private final List<Runnable> afterCommit = new ArrayList<>();

    JdbcTransaction(Connection connection) {
        this.connection = connection;
    }

    @Override
    public int update(String sql, Object... arguments) throws SQLException {
        return prepare(sql, arguments).executeUpdate();
    }

    @Override
    public <T> Optional<T> first(String sql, Row<T> row, Object... arguments) throws SQLException {
        try (ResultSet rows = prepare(sql, arguments).executeQuery()) {
            return rows.next() ? Optional.of(row.map(rows)) : Optional.empty();
        }
    }

    @Override
    public <T> List<T> list(String sql, Row<T> row, Object... arguments) throws SQLException {
        try (ResultSet rows = prepare(sql, arguments).executeQuery()) {
            List<T> all = new ArrayList<>();
            while (rows.next()) {
                all.add(row.map(rows));
            }
            return all;
        }
    }

    @Override
    public void afterCommit(Runnable action) {
        afterCommit.add(action);
    }

    /** Returns and clears the actions collected since the previous call. */
    List<Runnable> takeAfterCommit() {
        List<Runnable> taken = List.copyOf(afterCommit);
        afterCommit.clear();
        return taken;
    }

    Connection connection() {
        return connection;
    }

    private PreparedStatement prepare(String sql, Object... arguments) throws SQLException {
        PreparedStatement statement = statements.get(sql);
        if (statement == null) {
            statement = connection.prepareStatement(sql);
            statements.put(sql, statement);
        }
        for (int i = 0; i < arguments.length; i++) {
            bind(statement, i + 1, arguments[i]);
        }
        return statement;
    }

    private static void bind(PreparedStatement statement, int position, Object argument) throws SQLException {
        if (argument == null) {
            statement.setString(position, null);
        } else if (argument instanceof String text) {
            statement.setString(position, text);
        } else if (argument instanceof Integer number) {
            statement.setInt(position, number);
        } else if (argument instanceof Long number) {
            statement.setLong(position, number);
        } else if (argument instanceof Boolean flag) {
            statement.setInt(position, flag ? 1 : 0);
        } else if (argument instanceof Instant time) {
            statement.setLong(position, time.toEpochMilli());
        } else if (argument instanceof BigDecimal amount) {
            statement.setString(position, amount.toPlainString());
        } else if (argument instanceof byte[] bytes) {
            statement.setBytes(position, bytes);
        } else {
            throw new IllegalArgumentException("cannot store a " + argument.getClass());
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
