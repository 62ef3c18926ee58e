-- The books as they are; how they came to be is in the journal's stream "books", which any instance may write to: the
-- right to it is shared, and the lock of the books decides the order.
INSERT INTO lease (name, epoch, holder, expire_time) VALUES ('books', 1, 'all instances', 'infinity');

CREATE TABLE book (
    account            text   PRIMARY KEY,
    last_entry         bigint NOT NULL,
    -- The last execution report that was applied, whether it made an entry or not.
    execution_sequence bigint NOT NULL,
    -- Where the last roll found it.
    rolled_date        date   NOT NULL DEFAULT '-infinity',
    rolled_entry       bigint NOT NULL DEFAULT 0,
    -- Why its reports are not applied any further.
    fault              text   NOT NULL DEFAULT '',
    message            bytea  NOT NULL
);

-- Which entries of the journal are an account's.
CREATE TABLE entry (
    seq       bigint PRIMARY KEY,
    account   text   NOT NULL,
    kind      int    NOT NULL,
    reference text   NOT NULL,
    time_ns   bigint NOT NULL,
    reversed  boolean NOT NULL DEFAULT false
);

CREATE INDEX entry_account ON entry (account, seq);

-- Trades that still count, in the order in which they were booked: a correction books a position anew from them.
CREATE TABLE trade (
    seq         bigint PRIMARY KEY,
    account     text   NOT NULL,
    instrument  text   NOT NULL,
    position_id text   NOT NULL,
    trade_id    text   NOT NULL,
    message     bytea  NOT NULL
);

CREATE INDEX trade_position ON trade (account, instrument, position_id, seq);
CREATE INDEX trade_id ON trade (account, trade_id);

CREATE TABLE correction (
    correction_id text   PRIMARY KEY,
    number        bigint GENERATED ALWAYS AS IDENTITY,
    account       text   NOT NULL,
    state         int    NOT NULL,
    message       bytea  NOT NULL
);

CREATE INDEX correction_account ON correction (account, number);
