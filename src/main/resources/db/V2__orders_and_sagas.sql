-- The order service's table. Its row is also the fence: see the checks.
CREATE TABLE orders (
  seq             ${sequence},
  order_id        TEXT    NOT NULL UNIQUE,
  customer_id     TEXT    NOT NULL,
  style           TEXT    NOT NULL,
  flow            TEXT    NOT NULL,
  flow_version    INTEGER NOT NULL,
  saga_id         TEXT    UNIQUE,
  traceparent     TEXT,
  status          TEXT    NOT NULL CHECK (status IN ('CREATED', 'RESERVED', 'PAID', 'SHIPPED', 'CANCELLED')),
  reason          TEXT,
  total           TEXT    NOT NULL,
  currency        TEXT    NOT NULL,
  payment_id      TEXT,
  tracking_number TEXT,
  body            TEXT    NOT NULL,
  created_at      BIGINT  NOT NULL,
  started_at      BIGINT,
  updated_at      BIGINT  NOT NULL,
  -- A cancelled order says why; what has a reason to be cancelled is never shipped.
  CHECK (status <> 'CANCELLED' OR reason IS NOT NULL),
  CHECK (status <> 'SHIPPED' OR reason IS NULL)
);
CREATE INDEX orders_by_customer ON orders (customer_id, seq);
CREATE INDEX orders_unfinished ON orders (seq) WHERE status NOT IN ('SHIPPED', 'CANCELLED');

-- What happened to an order beside its events: retries, skipped compensations, failed attempts to compensate.
CREATE TABLE step_log (
  id       TEXT    NOT NULL PRIMARY KEY,
  order_id TEXT    NOT NULL,
  at       BIGINT  NOT NULL,
  kind     TEXT    NOT NULL CHECK (kind IN ('step', 'compensation')),
  name     TEXT    NOT NULL,
  outcome  TEXT    NOT NULL CHECK (outcome IN ('failed', 'retrying', 'skipped')),
  attempt  INTEGER NOT NULL,
  detail   TEXT
) ${clustered};
CREATE INDEX step_log_by_order ON step_log (order_id);

-- The inventory service's tables.
CREATE TABLE stock (
  sku      TEXT   NOT NULL PRIMARY KEY,
  on_hand  BIGINT NOT NULL CHECK (on_hand >= 0),
  reserved BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  shipped  BIGINT NOT NULL DEFAULT 0 CHECK (shipped >= 0)
) ${clustered};
CREATE TABLE reservations (
  order_id TEXT   NOT NULL PRIMARY KEY,
  status   TEXT   NOT NULL CHECK (status IN ('RESERVED', 'REFUSED', 'RELEASED', 'SHIPPED')),
  reason   TEXT,
  items    TEXT   NOT NULL,
  at       BIGINT NOT NULL,
  CHECK ((status = 'REFUSED') = (reason IS NOT NULL))
) ${clustered};

-- The payment service's table. PENDING: attempts failed so far, no money moved.
CREATE TABLE payments (
  order_id   TEXT    NOT NULL PRIMARY KEY,
  payment_id TEXT    NOT NULL,
  status     TEXT    NOT NULL CHECK (status IN ('PENDING', 'CAPTURED', 'DECLINED', 'REFUNDED')),
  amount     TEXT    NOT NULL,
  currency   TEXT    NOT NULL,
  method     TEXT    NOT NULL,
  attempts   INTEGER NOT NULL,
  created_at BIGINT  NOT NULL,
  updated_at BIGINT  NOT NULL
) ${clustered};

-- The shipping service's table.
CREATE TABLE shipments (
  order_id        TEXT   NOT NULL PRIMARY KEY,
  status          TEXT   NOT NULL CHECK (status IN ('SHIPPED', 'REFUSED')),
  tracking_number TEXT,
  country         TEXT   NOT NULL,
  created_at      BIGINT NOT NULL,
  CHECK ((status = 'SHIPPED') = (tracking_number IS NOT NULL))
) ${clustered};

-- The saga log.
CREATE TABLE sagas (
  saga_id    TEXT   NOT NULL PRIMARY KEY,
  status     TEXT   NOT NULL CHECK (status IN ('RUNNING', 'COMPENSATING', 'COMPLETED', 'COMPENSATED', 'STUCK')),
  cause      TEXT,
  detail     TEXT,
  deadline   BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  ended_at   BIGINT,
  CHECK ((ended_at IS NULL) = (status IN ('RUNNING', 'COMPENSATING', 'STUCK')))
) ${clustered};
CREATE INDEX sagas_open ON sagas (deadline) WHERE ended_at IS NULL;
CREATE TABLE saga_steps (
  saga_id      TEXT    NOT NULL,
  position     INTEGER NOT NULL,
  compensation TEXT,
  completion   TEXT,
  options      TEXT    NOT NULL,
  status       TEXT    NOT NULL CHECK (status IN ('JOINED', 'COMPENSATED', 'COMPLETED')),
  attempts     INTEGER NOT NULL DEFAULT 0,
  error        TEXT,
  joined_at    BIGINT  NOT NULL,
  PRIMARY KEY (saga_id, position)
) ${clustered};
-- Completions still owed by sagas that have ended well.
CREATE INDEX saga_steps_owing ON saga_steps (saga_id) WHERE completion IS NOT NULL AND status = 'JOINED';
