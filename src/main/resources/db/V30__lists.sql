-- What operators ask lists for, each in the order of its list. Rows that end as nearly all do are found without.
CREATE INDEX IF NOT EXISTS orders_by_style ON orders (style, seq);
CREATE INDEX IF NOT EXISTS orders_by_status ON orders (status, seq) WHERE status = 'CANCELLED';
CREATE INDEX IF NOT EXISTS orders_cancelled_by_style ON orders (style, seq) WHERE status = 'CANCELLED';
CREATE INDEX IF NOT EXISTS sagas_by_status ON sagas (status, saga_id)
  WHERE status IN ('COMPENSATING', 'COMPENSATED', 'STUCK');
CREATE INDEX IF NOT EXISTS dead_letters_by_source ON dead_letters (source, id) WHERE settled_at IS NULL;
CREATE INDEX IF NOT EXISTS dead_letters_by_reason ON dead_letters (reason, id) WHERE settled_at IS NULL;
CREATE INDEX IF NOT EXISTS dead_letters_by_type ON dead_letters (type, id) WHERE settled_at IS NULL;
CREATE INDEX IF NOT EXISTS dead_letters_by_source_and_reason ON dead_letters (source, reason, id)
  WHERE settled_at IS NULL;
-- Written otherwise than saga_id IS NULL, for which SQLite would rather look through the unique index of the column.
DROP INDEX orders_without_saga;
CREATE INDEX orders_without_saga ON orders (accepted_running)
  WHERE COALESCE(saga_id, '') = '' AND reason IS NULL AND status NOT IN ('SHIPPED', 'CANCELLED');
