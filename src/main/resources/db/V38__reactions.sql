-- An order without a saga is cancelled once all that reacts to its failure is through.
CREATE TABLE reactions_done (
  event_id   TEXT NOT NULL,
  subscriber TEXT NOT NULL,
  order_id   TEXT NOT NULL,
  PRIMARY KEY (event_id, subscriber)
) ${clustered};
CREATE INDEX reactions_done_by_order ON reactions_done (order_id);

-- Cancellations that wait for that.
CREATE TABLE awaited_cancellations (
  order_id     TEXT NOT NULL PRIMARY KEY,
  causation_id TEXT
) ${clustered};

-- Sagas that repeat a reaction that failed, until it is through or a person acts.
CREATE TABLE reaction_sagas (
  saga_id      TEXT NOT NULL PRIMARY KEY,
  order_id     TEXT NOT NULL,
  event_id     TEXT NOT NULL,
  subscriber   TEXT NOT NULL,
  compensation TEXT NOT NULL,
  UNIQUE (event_id, subscriber)
) ${clustered};
CREATE INDEX reaction_sagas_by_order ON reaction_sagas (order_id);
