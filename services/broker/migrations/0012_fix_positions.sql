-- What the accounts of a FIX venue held beside the platform's own deals when their positions were first asked for: by
-- instrument, 1/10000 of the base unit.
CREATE TABLE fix_venue_base (
    venue text PRIMARY KEY,
    base text NOT NULL
);
