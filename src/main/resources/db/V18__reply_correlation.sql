-- The correlation id of an answer is base64 of what the sender gave as bytes.
ALTER TABLE jms_replies ADD COLUMN correlation_bytes INTEGER NOT NULL DEFAULT 0;

-- Made once and known to this store alone: marks what the hub itself sent.
CREATE TABLE store_secrets (
  name   TEXT NOT NULL PRIMARY KEY,
  secret TEXT NOT NULL
) ${clustered};
