-- When the attempt is due that follows a failed one; null where no time is planned.
ALTER TABLE step_log ADD COLUMN next_at BIGINT;
