-- Letters that were settled or deleted, and whose copies in the JMS queue DLQ are still to be taken out.
CREATE TABLE dead_letter_copies (
  letter_id TEXT NOT NULL PRIMARY KEY
) ${clustered};
