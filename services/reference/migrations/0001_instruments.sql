-- Statuses of instruments that ever changed; all others are as the conventions begin them.
CREATE TABLE instrument_status (
    base        text        NOT NULL CHECK (base ~ '^[A-Z]{3}$'),
    counter     text        NOT NULL CHECK (counter ~ '^[A-Z]{3}$'),
    status      smallint    NOT NULL CHECK (status BETWEEN 1 AND 3),
    version     bigint      NOT NULL CHECK (version > 1),
    update_time timestamptz NOT NULL,
    PRIMARY KEY (base, counter)
);
