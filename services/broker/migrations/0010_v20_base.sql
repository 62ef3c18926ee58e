-- What an account of a v20 venue held when it began to be followed, by instrument in 1/10000 of the base unit; null where
-- that was not looked at.
ALTER TABLE v20_venue_position ADD COLUMN base jsonb;
