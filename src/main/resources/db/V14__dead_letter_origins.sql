-- A letter of the broker's queue was known by the broker's number of its message alone, which another broker may give
-- again; now by the id of the message as well. What had been replayed before carries the name it had then.
UPDATE dead_letters SET origin = origin || ':' || (headers ->> 'JMSMessageID')
WHERE channel = 'jms-dlq' AND settled_at IS NULL AND origin NOT LIKE 'jms-dlq:%:%'
  AND headers ->> 'JMSMessageID' IS NOT NULL AND headers ->> 'deadLetterOrigin' IS NULL
  AND NOT EXISTS (
    SELECT 1 FROM dead_letters other WHERE other.origin = dead_letters.origin || ':' || (dead_letters.headers ->> 'JMSMessageID'));
