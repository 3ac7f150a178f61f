-- Messages to customers, each written once for its event.
CREATE TABLE notifications (
  id           TEXT   NOT NULL PRIMARY KEY,
  order_id     TEXT   NOT NULL,
  customer_id  TEXT,
  type         TEXT   NOT NULL,
  text         TEXT   NOT NULL,
  at           BIGINT NOT NULL,
  delivered_at BIGINT
) ${clustered};
CREATE INDEX notifications_by_order ON notifications (order_id);
CREATE INDEX notifications_waiting ON notifications (id) WHERE delivered_at IS NULL;

-- Figures about orders. A rebuild fills a generation of its own beside the one that is live.
CREATE TABLE analytics_live (
  one        INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  generation BIGINT  NOT NULL
) ${clustered};
INSERT INTO analytics_live (one, generation) VALUES (1, 1);
-- What each order was last counted as; an event that is not later than last_event has been counted.
CREATE TABLE analytics_orders (
  generation BIGINT NOT NULL,
  order_id   TEXT   NOT NULL,
  status     TEXT,
  last_event TEXT   NOT NULL,
  PRIMARY KEY (generation, order_id)
) ${clustered};
-- Counts, and amounts as decimal text.
CREATE TABLE analytics_figures (
  generation BIGINT NOT NULL,
  figure     TEXT   NOT NULL,
  label      TEXT   NOT NULL,
  value      TEXT   NOT NULL,
  PRIMARY KEY (generation, figure, label)
) ${clustered};
