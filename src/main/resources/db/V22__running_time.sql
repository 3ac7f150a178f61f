-- How far the clock has come that stands still while no hub runs. Deadlines of sagas and orders are times of this clock.
CREATE TABLE running_time (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  at  BIGINT  NOT NULL
);
-- When an order was accepted, by that clock.
ALTER TABLE orders ADD COLUMN accepted_running BIGINT;
UPDATE orders SET accepted_running = created_at WHERE status NOT IN ('SHIPPED', 'CANCELLED');
-- Orders with a deadline that no saga looks after.
CREATE INDEX orders_without_saga ON orders (accepted_running)
  WHERE saga_id IS NULL AND reason IS NULL AND status NOT IN ('SHIPPED', 'CANCELLED');
