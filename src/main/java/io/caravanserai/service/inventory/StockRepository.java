package io.caravanserai.service.inventory;

import io.caravanserai.store.Transaction;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** Reads and sets the stock. Thread-safe. */
public final class StockRepository {
    private static final String FIND = "SELECT sku, on_hand, reserved, shipped FROM stock WHERE sku = ?";
    private static final String LIST =
            "SELECT sku, on_hand, reserved, shipped FROM stock WHERE sku > ? ORDER BY sku LIMIT ?";
    private static final String SET = """
            INSERT INTO stock (sku, on_hand) VALUES (?, ?)
            ON CONFLICT (sku) DO UPDATE SET on_hand = excluded.on_hand
            """;
    private static final String IS_EMPTY = "SELECT 1 FROM stock LIMIT 1";

    public Optional<Stock> find(Transaction tx, String sku) throws SQLException {
        return tx.first(FIND, StockRepository::stock, sku);
    }

    /** Returns articles in the order of the sku, after the given sku; from the first article when the sku is empty. */
    public List<Stock> list(Transaction tx, String after, int limit) throws SQLException {
        return tx.list(LIST, StockRepository::stock, after, limit);
    }

    /** Sets the quantity free to be reserved. Reserved and shipped quantities stay. */
    public Stock set(Transaction tx, String sku, long onHand) throws SQLException {
        tx.update(SET, sku, onHand);
        return find(tx, sku).orElseThrow();
    }

    /** Whether the stock has no article. */
    public boolean isEmpty(Transaction tx) throws SQLException {
        return tx.first(IS_EMPTY, row -> 1).isEmpty();
    }

    private static Stock stock(ResultSet row) throws SQLException {
        return new Stock(row.getString("sku"), row.getLong("on_hand"), row.getLong("reserved"), row.getLong("shipped"));
    }
}
