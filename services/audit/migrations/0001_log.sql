-- The log: one row a fact, in the order of arrival, and the tree over them. Nothing here has to be believed: what is changed
-- does not lead to the signed root any more. The triggers stop mistakes, not owners of the database.

CREATE TABLE log_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    size bigint NOT NULL CHECK (size >= 0)
);

INSERT INTO log_head (size) VALUES (0);

-- Journal streams of services, and how far each has come into the log.
CREATE TABLE origin (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service text NOT NULL,
    stream text NOT NULL,
    last_sequence bigint NOT NULL CHECK (last_sequence >= 0),
    UNIQUE (service, stream)
);

-- Numbers below `last_sequence` that never came.
CREATE TABLE gap (
    origin integer NOT NULL REFERENCES origin,
    first_sequence bigint NOT NULL,
    last_sequence bigint NOT NULL CHECK (last_sequence >= first_sequence),
    PRIMARY KEY (origin, first_sequence)
);

CREATE TABLE fact_type (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);

-- `data` is hashed; `payload` hangs on it by its salted hash and may go. The other columns repeat what is in `data`, to be
-- found by; the check of the log compares them.
CREATE TABLE leaf (
    index bigint PRIMARY KEY CHECK (index >= 0),
    hash bytea NOT NULL,
    data bytea NOT NULL,
    salt bytea,
    payload bytea,
    origin integer NOT NULL,
    sequence bigint NOT NULL,
    type integer NOT NULL,
    time_ns bigint NOT NULL,
    UNIQUE (origin, sequence)
);

CREATE INDEX leaf_type ON leaf (type, index);
CREATE INDEX leaf_time ON leaf USING brin (time_ns) WITH (pages_per_range = 32);

CREATE TABLE fact_key (
    key text NOT NULL,
    index bigint NOT NULL,
    PRIMARY KEY (key, index)
);

-- Rows are written in the order of their index, so that a few bytes find those of a page of facts.
CREATE INDEX fact_key_index ON fact_key USING brin (index) WITH (pages_per_range = 16);

-- Every eighth level of the tree above the leaves, 256 hashes a row (C2SP tlog-tiles).
CREATE TABLE tile (
    level smallint NOT NULL CHECK (level > 0),
    number bigint NOT NULL CHECK (number >= 0),
    hashes bytea NOT NULL,
    PRIMARY KEY (level, number)
);

CREATE TABLE checkpoint (
    size bigint PRIMARY KEY CHECK (size > 0),
    root bytea NOT NULL,
    note text NOT NULL,
    cosignature text,
    time timestamptz NOT NULL
);

CREATE TABLE signing_key (
    number integer PRIMARY KEY CHECK (number > 0),
    key text NOT NULL,
    since_index bigint NOT NULL
);

CREATE FUNCTION log_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log only grows: % of % is refused', TG_OP, TG_TABLE_NAME;
END
$$;

CREATE TRIGGER leaf_only_grows BEFORE DELETE OR TRUNCATE ON leaf FOR EACH STATEMENT EXECUTE FUNCTION log_only_grows();
CREATE TRIGGER leaf_stays BEFORE UPDATE ON leaf FOR EACH ROW
    WHEN (NEW.payload IS NOT NULL OR NEW.salt IS NOT NULL OR (NEW.index, NEW.hash, NEW.data, NEW.origin, NEW.sequence,
        NEW.type, NEW.time_ns) IS DISTINCT FROM (OLD.index, OLD.hash, OLD.data, OLD.origin, OLD.sequence, OLD.type,
        OLD.time_ns))
    EXECUTE FUNCTION log_only_grows();
CREATE TRIGGER fact_key_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON fact_key FOR EACH STATEMENT
    EXECUTE FUNCTION log_only_grows();
CREATE TRIGGER checkpoint_only_grows BEFORE DELETE OR TRUNCATE ON checkpoint FOR EACH STATEMENT
    EXECUTE FUNCTION log_only_grows();
CREATE TRIGGER checkpoint_stays BEFORE UPDATE ON checkpoint FOR EACH ROW
    WHEN ((NEW.size, NEW.root, NEW.note, NEW.time) IS DISTINCT FROM (OLD.size, OLD.root, OLD.note, OLD.time)
        OR OLD.cosignature IS NOT NULL)
    EXECUTE FUNCTION log_only_grows();
