-- Quotes that may be executed. A row leaves ACTIVE once and for all; that it has expired is not written, it follows from
-- the clock. `content` is the quote as it was made and is never changed.
CREATE TABLE quote (
    id               uuid        PRIMARY KEY,
    snapshot_id      uuid        NOT NULL REFERENCES snapshot (id),
    create_time      timestamptz NOT NULL,
    valid_until_time timestamptz NOT NULL CHECK (valid_until_time > create_time),
    state            text        NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'CANCELLED', 'EXECUTED')),
    executed_side    smallint    CHECK ((state = 'EXECUTED') = (executed_side IS NOT NULL)),
    end_time         timestamptz CHECK ((state = 'ACTIVE') = (end_time IS NULL)),
    end_request_id   uuid        UNIQUE CHECK ((state = 'ACTIVE') = (end_request_id IS NULL)),
    end_comment      text        NOT NULL DEFAULT '',
    content          bytea       NOT NULL
);

-- What is deleted in time: everything but what was executed.
CREATE INDEX quote_valid_until_time ON quote (valid_until_time) WHERE state <> 'EXECUTED';

CREATE FUNCTION quote_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'quote % is %: it ends once', OLD.id, OLD.state;
END
$$;

CREATE TRIGGER quote_ends_once BEFORE UPDATE ON quote
    FOR EACH ROW WHEN (OLD.state <> 'ACTIVE') EXECUTE FUNCTION quote_ends_once();
