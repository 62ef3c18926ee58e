-- Programs that trade over the OANDA v20 API: an account as it sees it, which follows from trading's reports, and what
-- programs asked for beyond what an order of trading says.

CREATE TABLE v20_account (
    account text PRIMARY KEY,
    currency text NOT NULL,
    last_report bigint NOT NULL,    -- trading's newest report in it
    last_transaction bigint NOT NULL
);

-- Numbered 1, 2, 3 … without a gap for each account.
CREATE TABLE v20_transaction (
    account text NOT NULL,
    id bigint NOT NULL,
    type text NOT NULL,
    order_id bigint,                -- the v20 order that it is about; null for none
    root text,                      -- of a refused order: its client_order_id
    time timestamptz NOT NULL,
    content text NOT NULL,          -- JSON as it is shown; fields that begin with "_" are not
    PRIMARY KEY (account, id)
);
CREATE INDEX v20_transaction_order ON v20_transaction (account, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX v20_transaction_root ON v20_transaction (account, root) WHERE root IS NOT NULL;

CREATE TABLE v20_order (
    account text NOT NULL,
    id bigint NOT NULL,             -- that of the transaction that created it
    root text NOT NULL,             -- client_order_id of trading's order
    client_id text,
    instrument text NOT NULL,
    open boolean NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE INDEX v20_order_open ON v20_order (account) WHERE open;
CREATE INDEX v20_order_root ON v20_order (account, root);
CREATE INDEX v20_order_client_id ON v20_order (account, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE v20_trade (
    account text NOT NULL,
    id bigint NOT NULL,             -- that of the transaction that opened it
    client_id text,
    instrument text NOT NULL,
    open boolean NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE INDEX v20_trade_open ON v20_trade (account) WHERE open;
CREATE INDEX v20_trade_client_id ON v20_trade (account, client_id) WHERE client_id IS NOT NULL;

-- What a program asked for, kept before trading is asked. A client's id is unique for an account for ever.
CREATE TABLE v20_request (
    account text NOT NULL,
    root text NOT NULL,             -- client_order_id of trading's order
    client_id text,
    content text NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, root),
    UNIQUE (account, client_id)
);

-- How far the transactions of an account at a venue that speaks the v20 API were taken.
CREATE TABLE v20_venue_position (
    venue text NOT NULL,
    account_id text NOT NULL,
    last_transaction bigint NOT NULL,
    PRIMARY KEY (venue, account_id)
);
