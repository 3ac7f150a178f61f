-- The event log is written with every step of every order, so it has no index that nobody asks: an event's id is unique
-- because it was made so. Its last event is never deleted, so a sequence is never given twice.
ALTER TABLE events RENAME TO events_before;
CREATE TABLE events (
  sequence      ${ascending},
  id            TEXT    NOT NULL,
  type          TEXT    NOT NULL,
  order_id      TEXT    NOT NULL,
  at            BIGINT  NOT NULL,
  saga_id       TEXT,
  causation_id  TEXT,
  traceparent   TEXT,
  style         TEXT,
  attempt       INTEGER NOT NULL,
  data          TEXT    NOT NULL,
  sent_at       BIGINT,
  kafka_sent_at BIGINT
);
INSERT INTO events (sequence, id, type, order_id, at, saga_id, causation_id, traceparent, style, attempt, data, sent_at,
  kafka_sent_at)
SELECT sequence, id, type, order_id, at, saga_id, causation_id, traceparent, style, attempt, data, sent_at, kafka_sent_at
FROM events_before;
DROP TABLE events_before;
CREATE INDEX events_by_order ON events (order_id);
CREATE INDEX events_to_send ON events (sequence) WHERE sent_at IS NULL;
CREATE INDEX events_to_kafka ON events (sequence) WHERE kafka_sent_at = 0;
