-- Accounts as they are; how they came to be is in the journal's stream "accounts".
CREATE TABLE account (
    account text   PRIMARY KEY CHECK (account ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    desk    text   NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    message bytea  NOT NULL
);

CREATE INDEX account_desk ON account (desk, account);
