-- Every text of a flow that the hub ever accepted. Rows are never changed: orders point at them.
CREATE TABLE flow_versions (
  file    TEXT    NOT NULL,
  version INTEGER NOT NULL,
  hash    TEXT    NOT NULL,
  text    TEXT    NOT NULL,
  who     TEXT    NOT NULL,
  at      BIGINT  NOT NULL,
  PRIMARY KEY (file, version)
);
