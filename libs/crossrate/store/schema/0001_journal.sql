-- The tables that every service with a database has: who may write, what happened, what was answered, what was published,
-- and how far other services' facts were applied.

-- A writer's right to append. Each taking of it raises the epoch, and every append names the epoch it was given.
CREATE TABLE lease (
    name text PRIMARY KEY,
    epoch bigint NOT NULL CHECK (epoch > 0),
    holder text NOT NULL,
    expire_time timestamptz NOT NULL
);

-- Where each journal stream ends. One row a stream, locked by each append: numbers have no gap and follow commit order.
CREATE TABLE journal_head (
    stream text PRIMARY KEY,
    last_seq bigint NOT NULL CHECK (last_seq > 0)
);

CREATE TABLE journal (
    stream text NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    subject text NOT NULL,
    type text NOT NULL,
    payload bytea NOT NULL,
    request_id text NOT NULL,
    traceparent text NOT NULL,
    epoch bigint NOT NULL,
    time_ns bigint NOT NULL,
    PRIMARY KEY (stream, seq)
);

CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal only grows: % is refused', TG_OP;
END
$$;

CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- Answers by request id. The row is claimed and answered in the transaction of the effect.
CREATE TABLE request (
    request_id text PRIMARY KEY,
    body_sha256 bytea NOT NULL CHECK (length(body_sha256) = 32),
    answer bytea,
    create_time timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX request_create_time ON request (create_time);

-- What the relay knows to be in a JetStream stream: its last message there, and how far each journal stream has come.
CREATE TABLE relay (
    target text PRIMARY KEY,
    last_sequence bigint NOT NULL CHECK (last_sequence >= 0)
);

CREATE TABLE relay_position (
    target text NOT NULL REFERENCES relay,
    stream text NOT NULL,
    last_seq bigint NOT NULL CHECK (last_seq >= 0),
    PRIMARY KEY (target, stream)
);

-- How far a consumer has applied a JetStream stream; moved in the transaction of the effect.
CREATE TABLE inbox (
    consumer text NOT NULL,
    stream text NOT NULL,
    last_seq bigint NOT NULL CHECK (last_seq >= 0),
    PRIMARY KEY (consumer, stream)
);

-- Dead letters that were delivered again: each at most once.
CREATE TABLE inbox_redriven (
    consumer text NOT NULL,
    stream text NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (consumer, stream, seq)
);
