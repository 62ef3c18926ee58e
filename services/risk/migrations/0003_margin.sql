-- What was decided about the margin of accounts: an account that was never called has no row.
CREATE TABLE margin_standing (
    account text  PRIMARY KEY,
    content bytea NOT NULL
);

CREATE TABLE close_out (
    number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    close_out_id text    NOT NULL UNIQUE,
    account      text    NOT NULL,
    ended        boolean NOT NULL DEFAULT false,
    summary      bytea   NOT NULL,
    content      bytea   NOT NULL
);

-- An account is closed out once at a time.
CREATE UNIQUE INDEX close_out_open ON close_out (account) WHERE NOT ended;
CREATE INDEX close_out_account ON close_out (account, number DESC);
