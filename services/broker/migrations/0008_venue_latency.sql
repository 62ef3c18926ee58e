-- The 99th percentile beside the smoothed time from a new order to its venue's first answer, microseconds.
ALTER TABLE venue ADD COLUMN latency_p99_us bigint NOT NULL DEFAULT 0;
