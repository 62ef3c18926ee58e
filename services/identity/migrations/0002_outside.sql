-- What a program that waits on another device wants proved (`acr_values`, `max_age`).
ALTER TABLE device_code ADD COLUMN second boolean NOT NULL DEFAULT false, ADD COLUMN max_age_s integer;

-- Who logged in at a provider outside is no person here: what it said of him goes with the browser and what he lets in.
ALTER TABLE browser ADD COLUMN external jsonb, ADD COLUMN asked bytea; -- sealed: a request to the provider that waits
ALTER TABLE authorization_code ADD COLUMN external jsonb;
ALTER TABLE device_code ADD COLUMN external jsonb;
