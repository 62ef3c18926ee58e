-- What the journal's execution reports have made of orders, positions and fills, kept in the transaction that appends
-- them; the gate that every commit passes; answers to requests.

-- The whole order as a message, what finds it, and what its first answer was made of.
CREATE TABLE client_order (
    order_id        uuid    PRIMARY KEY,
    account         text    NOT NULL,
    client_order_id text    NOT NULL,
    digest          bytea   NOT NULL,
    first_sequence  bigint  NOT NULL,
    sequence        bigint  NOT NULL,
    sequences       bigint[] NOT NULL,
    working         boolean NOT NULL,
    instrument      text    NOT NULL,
    strategy        text    NOT NULL,
    list_id         text    NOT NULL,
    margin          bytea   NOT NULL,
    content         bytea   NOT NULL,
    UNIQUE (account, client_order_id)
) WITH (fillfactor = 80);
CREATE INDEX client_order_newest ON client_order (account, first_sequence DESC);
CREATE INDEX client_order_list ON client_order (list_id) WHERE list_id <> '';
CREATE INDEX client_order_working ON client_order (account) WHERE working;

CREATE TABLE account_position (
    account        text    NOT NULL,
    instrument     text    NOT NULL,
    position_id    text    NOT NULL,
    quantity       numeric NOT NULL,
    counter_amount numeric NOT NULL,
    PRIMARY KEY (account, instrument, position_id)
);

-- How far broker's reports were applied to an account.
CREATE TABLE account_venue (
    account        text   PRIMARY KEY,
    venue_sequence bigint NOT NULL
);

-- Fills as they count now: one that was taken back is gone, one that was corrected is as corrected.
CREATE TABLE fill (
    venue         text  NOT NULL,
    venue_exec_id text  NOT NULL,
    account       text  NOT NULL,
    order_id      uuid  NOT NULL,
    content       bytea NOT NULL,
    withdrawn     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (venue, venue_exec_id)
);
CREATE INDEX fill_order ON fill (order_id);

CREATE TABLE account_request (
    account    text  NOT NULL,
    request_id text  NOT NULL,
    digest     bytea NOT NULL,
    answer     bytea NOT NULL,
    PRIMARY KEY (account, request_id)
);

-- Sessions that are open or lost; see engine/sessions.py.
CREATE TABLE trade_session (
    account              text        NOT NULL,
    session              text        NOT NULL,
    connection           text        NOT NULL UNIQUE,
    cancel_on_disconnect boolean     NOT NULL,
    silence_s            float8      NOT NULL,
    expire_time          timestamptz NOT NULL,
    PRIMARY KEY (account, session)
);

-- One row. A commit of orders reads it under a shared lock; changing it waits for them, and they for the change.
CREATE TABLE gate (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint  NOT NULL,
    content bytea   NOT NULL
);
INSERT INTO gate (version, content) VALUES (0, '');

-- One commit: the reports of several accounts with all that follows from them, in one round trip. Refused as a whole with
-- XR001 if an account was taken over, XR002 if a stream does not end where its writer thinks, XR003 if the gate is newer
-- than the version by which the orders were admitted (-1: nothing was admitted).
CREATE FUNCTION commit_reports(
    accounts text[], epochs bigint[], bases bigint[], ends bigint[], venue_sequences bigint[], admitted_version bigint,
    e_accounts text[], e_seqs bigint[], e_payloads bytea[], e_request_ids text[], e_traceparents text[], e_times bigint[],
    o_ids text[], o_accounts text[], o_client_ids text[], o_digests bytea[], o_firsts bigint[], o_seqs bigint[],
    o_sequences text[], o_working boolean[], o_instruments text[], o_strategies text[], o_lists text[],
    o_margins bytea[], o_contents bytea[],
    p_accounts text[], p_instruments text[], p_ids text[], p_quantities text[], p_amounts text[],
    f_venues text[], f_exec_ids text[], f_accounts text[], f_orders text[], f_contents bytea[], f_withdrawn boolean[],
    r_accounts text[], r_ids text[], r_digests bytea[], r_answers bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    current_version bigint;
    streams text[];
BEGIN
    IF admitted_version >= 0 THEN
        SELECT version INTO current_version FROM gate FOR SHARE;
        IF current_version > admitted_version THEN
            RAISE EXCEPTION 'the gate is at %', current_version USING ERRCODE = 'XR003';
        END IF;
    END IF;
    SELECT array_agg('accounts/' || a ORDER BY n) INTO streams FROM unnest(accounts) WITH ORDINALITY AS t (a, n);
    PERFORM journal_append(streams, epochs, streams, bases, ends);
    INSERT INTO journal (stream, seq, subject, type, payload, request_id, traceparent, epoch, time_ns)
    SELECT 'accounts/' || e.account, e.seq, 'crossrate.trading.v1.execution_reported.' || e.account,
           'crossrate.api.trading.v1.ExecutionReported', e.payload, e.request_id, e.traceparent, a.epoch, e.time_ns
    FROM unnest(e_accounts, e_seqs, e_payloads, e_request_ids, e_traceparents, e_times)
             AS e (account, seq, payload, request_id, traceparent, time_ns)
    JOIN unnest(accounts, epochs) AS a (account, epoch) USING (account);
    INSERT INTO client_order AS o
    SELECT w.id::uuid, w.account, w.client_id, w.digest, w.first, w.seq, w.seqs::bigint[], w.working, w.instrument,
           w.strategy, w.list, w.margin, w.content
    FROM unnest(o_ids, o_accounts, o_client_ids, o_digests, o_firsts, o_seqs, o_sequences, o_working, o_instruments,
                o_strategies, o_lists, o_margins, o_contents)
             AS w (id, account, client_id, digest, first, seq, seqs, working, instrument, strategy, list, margin,
                   content)
    ON CONFLICT (order_id) DO UPDATE SET sequence = excluded.sequence, sequences = o.sequences || excluded.sequences,
        working = excluded.working, content = excluded.content;
    INSERT INTO account_venue
    SELECT * FROM unnest(accounts, venue_sequences) AS v (account, seq) WHERE seq > 0
    ON CONFLICT (account) DO UPDATE SET venue_sequence = excluded.venue_sequence
        WHERE account_venue.venue_sequence < excluded.venue_sequence;
    IF cardinality(p_accounts) > 0 THEN
        INSERT INTO account_position
        SELECT p.account, p.instrument, p.id, p.quantity::numeric, p.amount::numeric
        FROM unnest(p_accounts, p_instruments, p_ids, p_quantities, p_amounts)
                 AS p (account, instrument, id, quantity, amount)
        ON CONFLICT (account, instrument, position_id)
            DO UPDATE SET quantity = excluded.quantity, counter_amount = excluded.counter_amount;
    END IF;
    IF cardinality(f_venues) > 0 THEN
        INSERT INTO fill
        SELECT f.venue, f.exec_id, f.account, f.order_id::uuid, f.content, f.withdrawn
        FROM unnest(f_venues, f_exec_ids, f_accounts, f_orders, f_contents, f_withdrawn)
                 AS f (venue, exec_id, account, order_id, content, withdrawn)
        ON CONFLICT (venue, venue_exec_id) DO UPDATE SET content = excluded.content, withdrawn = excluded.withdrawn
            WHERE fill.order_id = excluded.order_id;
    END IF;
    IF cardinality(r_accounts) > 0 THEN
        INSERT INTO account_request
        SELECT * FROM unnest(r_accounts, r_ids, r_digests, r_answers);
    END IF;
END
$$;
