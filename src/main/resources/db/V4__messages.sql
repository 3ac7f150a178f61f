-- Messages that were handled: (who, which). Written in the unit of work of the effect.
CREATE TABLE inbox (
  handler    TEXT   NOT NULL,
  message_id TEXT   NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (handler, message_id)
) ${clustered};

-- Messages that could not be handled, whatever brought them. One message of one receiver is one row, however often it fails.
CREATE TABLE dead_letters (
  id          TEXT    NOT NULL PRIMARY KEY,
  origin      TEXT    NOT NULL UNIQUE,
  channel     TEXT    NOT NULL,
  source      TEXT    NOT NULL,
  type        TEXT,
  reason      TEXT    NOT NULL,
  error       TEXT    NOT NULL,
  received_at BIGINT  NOT NULL,
  headers     TEXT    NOT NULL,
  body        TEXT,
  base64      INTEGER NOT NULL,
  replays     INTEGER NOT NULL DEFAULT 0,
  -- When a replay was handled well; null while the letter still waits for somebody.
  settled_at  BIGINT
) ${clustered};
CREATE INDEX dead_letters_waiting ON dead_letters (id) WHERE settled_at IS NULL;

-- Replays of many dead letters: the selection is frozen in replay_letters when the replay begins.
CREATE TABLE replays (
  id                  TEXT    NOT NULL PRIMARY KEY,
  begun_at            BIGINT  NOT NULL,
  ended_at            BIGINT,
  rate                TEXT    NOT NULL,
  stop_after_failures INTEGER NOT NULL,
  selected            INTEGER NOT NULL,
  outcome             TEXT CHECK (outcome IN ('done', 'stopped')),
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
) ${clustered};
CREATE TABLE replay_letters (
  replay_id      TEXT    NOT NULL,
  position       INTEGER NOT NULL,
  dead_letter_id TEXT    NOT NULL,
  outcome        TEXT CHECK (outcome IN ('replayed', 'failed', 'gone')),
  PRIMARY KEY (replay_id, position)
) ${clustered};

-- Answers owed to senders of orders over JMS.
CREATE TABLE jms_replies (
  order_id       TEXT NOT NULL,
  message_id     TEXT NOT NULL,
  reply_to       TEXT NOT NULL,
  correlation_id TEXT NOT NULL,
  at             BIGINT NOT NULL,
  PRIMARY KEY (order_id, message_id)
) ${clustered};
