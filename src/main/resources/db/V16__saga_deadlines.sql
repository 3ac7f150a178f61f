-- Whether the flow set the deadline: a later timeout of the flow then only shortens it, and replaces the default.
ALTER TABLE sagas ADD COLUMN deadline_by_flow INTEGER NOT NULL DEFAULT 0;
