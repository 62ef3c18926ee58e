-- Clients that trade over FIX. What came is kept in the transaction that acknowledges it, and carried out afterwards.

CREATE TABLE fix_request (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session text NOT NULL,
    kind smallint NOT NULL,         -- 1 place, 2 cancel, 3 amend, 4 cancel all, 5 status, 6 status of all
    account text NOT NULL,
    root text NOT NULL,             -- the order's client_order_id; empty for none
    cl_ord_id text NOT NULL,        -- of the request, as the client has it
    content bytea NOT NULL,         -- the request to trading
    tried boolean NOT NULL DEFAULT false,
    done boolean NOT NULL DEFAULT false,
    create_time timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX fix_request_undone ON fix_request (session, number) WHERE NOT done;

-- Every ClOrdID that a session used, and the order that it is about.
CREATE TABLE fix_chain (
    session text NOT NULL,
    cl_ord_id text NOT NULL,
    account text NOT NULL,
    root text NOT NULL,
    PRIMARY KEY (session, cl_ord_id)
);

-- Each order of a session: its newest ClOrdID, and that of the cancel or amendment that is under way.
CREATE TABLE fix_order (
    session text NOT NULL,
    account text NOT NULL,
    root text NOT NULL,
    newest text NOT NULL,
    pending text NOT NULL,
    PRIMARY KEY (session, account, root)
);

-- How far the reports of an account were told to a session.
CREATE TABLE fix_told (
    session text NOT NULL,
    account text NOT NULL,
    last_sequence bigint NOT NULL,
    PRIMARY KEY (session, account)
);
