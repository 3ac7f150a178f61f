-- Everything that has happened to orders, in order: the log behind /events, and the outbox of what is still to be sent.
CREATE TABLE events (
  sequence     ${sequence},
  id           TEXT    NOT NULL UNIQUE,
  type         TEXT    NOT NULL,
  order_id     TEXT    NOT NULL,
  at           BIGINT  NOT NULL,
  saga_id      TEXT,
  causation_id TEXT,
  traceparent  TEXT,
  style        TEXT,
  attempt      INTEGER NOT NULL,
  data         TEXT    NOT NULL,
  sent_at      BIGINT
);
CREATE INDEX events_by_order ON events (order_id);
CREATE INDEX events_to_send ON events (sequence) WHERE sent_at IS NULL;
