-- What an operator does with an order is in its history as well.
ALTER TABLE step_log RENAME TO step_log_before;
CREATE TABLE step_log (
  id       TEXT    NOT NULL PRIMARY KEY,
  order_id TEXT    NOT NULL,
  at       BIGINT  NOT NULL,
  kind     TEXT    NOT NULL CHECK (kind IN ('step', 'compensation', 'event')),
  name     TEXT    NOT NULL,
  outcome  TEXT    NOT NULL CHECK (outcome IN ('done', 'failed', 'retrying', 'skipped')),
  attempt  INTEGER NOT NULL,
  detail   TEXT
) ${clustered};
INSERT INTO step_log (id, order_id, at, kind, name, outcome, attempt, detail)
SELECT id, order_id, at, kind, name, outcome, attempt, detail FROM step_log_before;
DROP TABLE step_log_before;
CREATE INDEX step_log_by_order ON step_log (order_id);
