-- Idempotency keys of all doors. The row is made in the unit of work that accepts the order.
CREATE TABLE idempotency_keys (
  idempotency_key TEXT   NOT NULL PRIMARY KEY,
  -- Of the request: its bytes and style.
  fingerprint     TEXT   NOT NULL,
  order_id        TEXT   NOT NULL,
  -- The process that answers the first request, and when it will have done so at the latest.
  owner           TEXT   NOT NULL,
  due_at          BIGINT NOT NULL,
  -- The first answer, to be given again byte for byte; null until it has been given.
  answer          TEXT,
  created_at      BIGINT NOT NULL
) ${clustered};
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- One row that readiness writes to when the store is in doubt.
CREATE TABLE store_probe (
  id INTEGER NOT NULL PRIMARY KEY,
  at BIGINT  NOT NULL
);
