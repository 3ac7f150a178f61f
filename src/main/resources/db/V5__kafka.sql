-- Events that go to Kafka beside the bus: null is not meant for it, 0 is still to be sent, else when it was sent.
ALTER TABLE events ADD COLUMN kafka_sent_at BIGINT;
CREATE INDEX events_to_kafka ON events (sequence) WHERE kafka_sent_at = 0;
