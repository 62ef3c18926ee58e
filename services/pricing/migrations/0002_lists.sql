-- Lists of what is kept: the newest first, and by the moment for which a snapshot holds. The comment is also in a version's
-- content; a list does not read contents.
ALTER TABLE market_version ADD COLUMN comment text NOT NULL DEFAULT '';
CREATE INDEX market_version_newest ON market_version (create_time DESC, name DESC, version DESC);
CREATE INDEX snapshot_as_of ON snapshot (as_of);
CREATE INDEX snapshot_market ON snapshot (market, market_version);
