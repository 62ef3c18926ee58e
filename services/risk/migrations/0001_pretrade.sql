-- What holds before a trade: limits, the kill switch, its certificates, and profits when a day began. Everything is written
-- under the lease "pretrade", whose epoch each transaction looks at.

CREATE TABLE limit_version (
    version bigint PRIMARY KEY CHECK (version > 0),
    content bytea NOT NULL
);

CREATE TABLE limit_proposal (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    proposal_id text NOT NULL UNIQUE,
    pending boolean NOT NULL,
    content bytea NOT NULL
);

-- One row: the version of the gate. It grows with every kill and resumption, and when another instance begins to write.
CREATE TABLE gate (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL CHECK (version > 0)
);

CREATE TABLE kill (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kill_id text NOT NULL UNIQUE,
    engaged boolean NOT NULL DEFAULT true,
    content bytea NOT NULL
);

CREATE TABLE resume_proposal (
    proposal_id text PRIMARY KEY,
    kill_id text NOT NULL REFERENCES kill (kill_id),
    pending boolean NOT NULL DEFAULT true,
    content bytea NOT NULL
);

CREATE TABLE dead_man_lease (
    lease_id text PRIMARY KEY,
    content bytea NOT NULL
);

CREATE TABLE certificate (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    certificate_id text NOT NULL UNIQUE REFERENCES kill (kill_id),
    complete boolean NOT NULL DEFAULT false,
    summary bytea NOT NULL,
    content bytea NOT NULL
);

-- Profit of a scope in ten-thousandths of the reporting currency when a trade date began.
CREATE TABLE day_mark (
    scope text NOT NULL,
    trade_date date NOT NULL,
    profit numeric NOT NULL,
    PRIMARY KEY (scope, trade_date)
);
