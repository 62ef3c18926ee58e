-- FIX sessions of a service: the numbers of each, and every application message that it may be asked for again.

CREATE TABLE fix_session (
    name text PRIMARY KEY,
    next_out bigint NOT NULL CHECK (next_out > 0),
    next_due bigint NOT NULL CHECK (next_due > 0),
    begun_ns bigint NOT NULL,
    update_time timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE fix_sent (
    session text NOT NULL REFERENCES fix_session,
    number bigint NOT NULL CHECK (number > 0),
    kind text NOT NULL,
    header bytea NOT NULL,
    body bytea NOT NULL,
    time_ns bigint NOT NULL,
    PRIMARY KEY (session, number)
);
