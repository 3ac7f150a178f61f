-- Filters that choose few of very many entries are decided in the index: a row is read only when it is listed. An index
-- whose condition names a column has that column too, or SQLite would read each row for it.
DROP INDEX orders_by_customer;
CREATE INDEX orders_by_customer ON orders (customer_id, seq, style);
CREATE INDEX IF NOT EXISTS orders_cancelled_by_customer ON orders (customer_id, seq, style, status) WHERE status = 'CANCELLED';
DROP INDEX orders_unfinished;
CREATE INDEX orders_unfinished ON orders (seq, status, style, customer_id)
  WHERE status NOT IN ('SHIPPED', 'CANCELLED');
DROP INDEX dead_letters_by_source;
CREATE INDEX dead_letters_by_source ON dead_letters (source, id, type, settled_at) WHERE settled_at IS NULL;
DROP INDEX dead_letters_by_reason;
CREATE INDEX dead_letters_by_reason ON dead_letters (reason, id, type, settled_at) WHERE settled_at IS NULL;
DROP INDEX dead_letters_by_source_and_reason;
CREATE INDEX dead_letters_by_source_and_reason ON dead_letters (source, reason, id, type, settled_at)
  WHERE settled_at IS NULL;
