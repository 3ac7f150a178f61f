-- The generation that a rebuild fills; null when there is none under way, or one that broke off has been given up.
-- Generation 0 of the figures is that of orders that have left the event log: each rebuild begins with it.
ALTER TABLE analytics_live ADD COLUMN building BIGINT;
