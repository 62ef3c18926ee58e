-- What venues tell a second time, and how it compares with what was told first.

-- Deals as a venue's drop copy has them: the simulated exchange's own record, or a second FIX session.
CREATE TABLE drop_copy (
    venue text NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    kind smallint NOT NULL,         -- 1 a fill, 2 it was taken back, 3 it was corrected
    exec_id text NOT NULL,
    ref text NOT NULL,              -- of 2 and 3: the fill that is meant
    venue_order_id text NOT NULL,
    client_id text NOT NULL,
    instrument text NOT NULL,
    side smallint NOT NULL,         -- 1 buy, -1 sell
    quantity bigint NOT NULL,       -- 1/10000 of the base unit
    price numeric NOT NULL,
    time_ns bigint NOT NULL,
    PRIMARY KEY (venue, number),
    UNIQUE (venue, exec_id, kind)
);

-- Positions as the simulated exchange counts them, by all deals of clients since it has a drop copy.
CREATE TABLE venue_position (
    venue text NOT NULL,
    instrument text NOT NULL,
    quantity bigint NOT NULL,
    copies bigint NOT NULL,
    PRIMARY KEY (venue, instrument)
);

-- Where the comparison of a venue begins: reports before it were made while there was no drop copy.
CREATE TABLE reconciled_venue (
    venue text PRIMARY KEY,
    begin_sequence bigint NOT NULL,
    gate_number bigint NOT NULL DEFAULT 0,
    gate_content bytea NOT NULL DEFAULT '',
    gate_told boolean NOT NULL DEFAULT true,
    run bytea NOT NULL DEFAULT ''   -- the newest ReconciliationRun
);

CREATE TABLE venue_break (
    break_id text PRIMARY KEY,
    change bigint NOT NULL,
    venue text NOT NULL,
    instrument text NOT NULL,
    account text NOT NULL,
    type smallint NOT NULL,
    closed boolean NOT NULL,
    gate smallint NOT NULL,         -- what it stops while it is not closed, 0 for nothing
    approved boolean NOT NULL,      -- whether a correction waits to be carried out
    subject text NOT NULL,
    evidence text NOT NULL,
    content bytea NOT NULL          -- crossrate.api.broker.v1.Break
);
CREATE INDEX venue_break_change ON venue_break (change);
CREATE INDEX venue_break_open ON venue_break (venue) WHERE NOT closed;

-- Every change of a break, for who watches.
CREATE TABLE break_change (
    number bigint PRIMARY KEY CHECK (number > 0),
    venue text NOT NULL,
    content bytea NOT NULL
);
CREATE TABLE break_head (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    last_number bigint NOT NULL
);
INSERT INTO break_head VALUES (true, 0);

-- Comparisons that were asked for.
CREATE TABLE reconciliation_request (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    venue text NOT NULL,
    whole boolean NOT NULL,
    done boolean NOT NULL DEFAULT false,
    run bytea NOT NULL DEFAULT ''
);
CREATE INDEX reconciliation_request_open ON reconciliation_request (venue, number) WHERE NOT done;

-- Which markets a venue does not get new orders in that could go elsewhere.
ALTER TABLE venue ADD COLUMN gated text[] NOT NULL DEFAULT '{}';

-- FIX clients that are told each fill once more as a trade (AD, AE); an empty id: no more.
CREATE TABLE fix_trades (
    session text PRIMARY KEY,
    request_id text NOT NULL
);
