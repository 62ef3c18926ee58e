-- Versions of markets and the snapshots that use them. Rows are never changed or deleted: a price can be made again.
CREATE TABLE market_version (
    name        text        NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{0,31}$'),
    version     bigint      NOT NULL CHECK (version >= 1),
    create_time timestamptz NOT NULL,
    content     bytea       NOT NULL,
    PRIMARY KEY (name, version)
);

CREATE TABLE snapshot (
    id             uuid        PRIMARY KEY,
    as_of          timestamptz NOT NULL,
    market         text        NOT NULL,
    market_version bigint      NOT NULL,
    content        bytea       NOT NULL,
    FOREIGN KEY (market, market_version) REFERENCES market_version (name, version)
);
