-- Names are never given twice: histories, journals and grants name them.
CREATE TABLE subject (
    name        text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    is_person   boolean NOT NULL
);

CREATE TABLE desk (
    name         text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    display_name text NOT NULL,
    create_time  timestamptz NOT NULL
);

CREATE TABLE person (
    name            text PRIMARY KEY REFERENCES subject,
    desk            text NOT NULL REFERENCES desk,
    state           smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
    display_name    text NOT NULL,
    email           text NOT NULL,
    roles           text[] NOT NULL,
    accounts        text[] NOT NULL,
    instruments     text[] NOT NULL,
    access_until    bigint NOT NULL DEFAULT 0,  -- seconds since 1970: tokens up to then have other grants
    access_time     timestamptz,
    version         bigint NOT NULL DEFAULT 1,
    create_time     timestamptz NOT NULL,
    update_time     timestamptz NOT NULL,
    last_login_time timestamptz,
    password_hash   text NOT NULL DEFAULT '',   -- argon2id
    one_time        boolean NOT NULL DEFAULT false,
    failures        integer NOT NULL DEFAULT 0,
    locked_until    timestamptz,
    totp_sealed     bytea,
    totp_step       bigint NOT NULL DEFAULT 0,  -- the last one used
    recovery        bytea[] NOT NULL DEFAULT '{}' -- SHA-256 of codes that are left
);

CREATE TABLE passkey (
    credential_id bytea PRIMARY KEY,
    name          text NOT NULL REFERENCES person,
    public_key    bytea NOT NULL,
    sign_count    bigint NOT NULL,
    display_name  text NOT NULL,
    create_time   timestamptz NOT NULL,
    last_use_time timestamptz
);
CREATE INDEX passkey_name ON passkey (name);

CREATE TABLE client (
    name           text PRIMARY KEY REFERENCES subject,
    desk           text NOT NULL REFERENCES desk,
    authentication smallint NOT NULL CHECK (authentication BETWEEN 1 AND 3),
    display_name   text NOT NULL,
    redirect_uris  text[] NOT NULL,
    jwks           text NOT NULL,
    tls_san_uri    text NOT NULL,
    bound_tokens   boolean NOT NULL,
    rate_class     text NOT NULL,
    disabled       boolean NOT NULL DEFAULT false,
    roles          text[] NOT NULL,
    accounts       text[] NOT NULL,
    instruments    text[] NOT NULL,
    access_until   bigint NOT NULL DEFAULT 0,
    access_time    timestamptz,
    version        bigint NOT NULL DEFAULT 1,
    create_time    timestamptz NOT NULL
);

CREATE TABLE api_key (
    key_id        text PRIMARY KEY,
    subject       text NOT NULL REFERENCES subject,
    secret_sha256 bytea NOT NULL,
    display_name  text NOT NULL,
    limited       boolean NOT NULL,
    roles         text[] NOT NULL,
    accounts      text[] NOT NULL,
    instruments   text[] NOT NULL,
    rate_class    text NOT NULL,
    create_time   timestamptz NOT NULL,
    expire_time   timestamptz NOT NULL,
    last_use_time timestamptz,
    revoke_time   timestamptz
);
CREATE INDEX api_key_subject ON api_key (subject, create_time DESC);

CREATE TABLE session (
    session_id    text PRIMARY KEY,
    subject       text NOT NULL,
    client_id     text NOT NULL,
    methods       text[] NOT NULL,
    acr           text NOT NULL,
    scope         text NOT NULL,
    address       text NOT NULL,
    rate_class    text NOT NULL,
    auth_time     timestamptz NOT NULL,
    create_time   timestamptz NOT NULL,
    last_use_time timestamptz NOT NULL,
    expire_time   timestamptz NOT NULL,
    revoke_time   timestamptz,
    revoke_reason text NOT NULL DEFAULT '',
    -- What a provider outside said of somebody who is no person here; null for persons and clients.
    external      jsonb
);
CREATE INDEX session_subject ON session (subject, create_time DESC);
CREATE INDEX session_open ON session (create_time DESC, session_id) WHERE revoke_time IS NULL;
CREATE INDEX session_expire ON session (expire_time);

-- Secrets of 256 random bits, by their SHA-256: used once.
CREATE TABLE refresh_token (
    sha256      bytea PRIMARY KEY,
    session_id  text NOT NULL REFERENCES session ON DELETE CASCADE,
    expire_time timestamptz NOT NULL,
    use_time    timestamptz
);
CREATE INDEX refresh_token_session ON refresh_token (session_id);

CREATE TABLE authorization_code (
    sha256         bytea PRIMARY KEY,
    client_id      text NOT NULL,
    redirect_uri   text NOT NULL,
    code_challenge text NOT NULL,
    nonce          text NOT NULL,
    scope          text NOT NULL,
    subject        text NOT NULL,
    methods        text[] NOT NULL,
    auth_time      timestamptz NOT NULL,
    address        text NOT NULL,
    expire_time    timestamptz NOT NULL,
    use_time       timestamptz,
    session_id     text
);

CREATE TABLE device_code (
    sha256         bytea PRIMARY KEY,
    user_code      text NOT NULL UNIQUE,
    client_id      text NOT NULL,
    scope          text NOT NULL,
    address        text NOT NULL,
    expire_time    timestamptz NOT NULL,
    interval_s     integer NOT NULL,
    last_poll_time timestamptz,
    decided        boolean,
    subject        text NOT NULL DEFAULT '',
    methods        text[] NOT NULL DEFAULT '{}',
    auth_time      timestamptz,
    use_time       timestamptz
);

-- Invitations and recoveries.
CREATE TABLE ticket (
    sha256      bytea PRIMARY KEY,
    name        text NOT NULL REFERENCES person,
    expire_time timestamptz NOT NULL
);

-- Ids of assertions that came, until they expire.
CREATE TABLE assertion (
    client_id   text NOT NULL,
    jti         text NOT NULL,
    expire_time timestamptz NOT NULL,
    PRIMARY KEY (client_id, jti)
);

-- A browser on the pages of the login, by the SHA-256 of its cookie.
CREATE TABLE browser (
    sha256      bytea PRIMARY KEY,
    csrf        text NOT NULL,
    subject     text NOT NULL DEFAULT '',
    methods     text[] NOT NULL DEFAULT '{}',
    auth_time   timestamptz,
    challenge   bytea,
    secret      bytea,                     -- sealed: a TOTP secret that is being set up
    pending     text NOT NULL DEFAULT '',  -- the query of an authorization request that waits
    device_code text NOT NULL DEFAULT '',
    wrong_codes integer NOT NULL DEFAULT 0,
    expire_time timestamptz NOT NULL
);

CREATE TABLE signing_key (
    key_id       text PRIMARY KEY,
    sealed       bytea NOT NULL,
    publish_time timestamptz NOT NULL,
    sign_time    timestamptz NOT NULL,
    remove_time  timestamptz
);
