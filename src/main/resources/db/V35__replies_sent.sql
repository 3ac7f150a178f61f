-- A reply that was sent is remembered: its message may be delivered again, after a crash or from a second queue.
ALTER TABLE jms_replies ADD COLUMN sent_at BIGINT;
CREATE INDEX jms_replies_sent ON jms_replies (sent_at);
