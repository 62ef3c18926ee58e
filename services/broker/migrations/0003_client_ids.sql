-- The id under which a venue that speaks FIX knows an order now (its ClOrdID): the newest that it has accepted.
ALTER TABLE venue_order ADD COLUMN client_id text NOT NULL DEFAULT '';
