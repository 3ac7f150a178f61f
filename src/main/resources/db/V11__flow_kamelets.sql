-- The Kamelets that a version names, by name, as they were when it was accepted: what runs must not follow their edits.
-- Versions from before have none here; theirs are read from the folder.
ALTER TABLE flow_versions ADD COLUMN kamelets TEXT NOT NULL DEFAULT '{}';
-- The hash of what the folders held then, which differs from the version's own after a rollback; null: its own.
ALTER TABLE flow_versions ADD COLUMN folder_hash TEXT;
