-- The marks of idempotent consumers in flows, oldest first, to be forgotten; other marks cost nothing more.
CREATE INDEX inbox_once ON inbox (at) WHERE handler = 'once';
