-- When a message to a customer is tried next; null: it was refused for good, and is among the dead letters.
ALTER TABLE notifications ADD COLUMN next_attempt_at BIGINT DEFAULT 0;
