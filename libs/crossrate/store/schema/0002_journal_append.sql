-- Appending to several streams of the journal in one statement: the leases are held, the streams end where their writer
-- thinks, and then they end where he says. The caller inserts the entries in the same transaction. All arrays of a group
-- have the same length; a lease may be named for several streams.
CREATE FUNCTION journal_append(leases text[], epochs bigint[], streams text[], bases bigint[], ends bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lost text;
    moved bigint;
    opened bigint;
BEGIN
    -- The shared locks order this against takers: either a taker waits for our commit, or we see his epoch.
    PERFORM 1 FROM lease l WHERE l.name = ANY (leases) ORDER BY l.name FOR SHARE;
    SELECT string_agg(w.name, ' ') INTO lost
    FROM unnest(leases, epochs) AS w (name, epoch)
    LEFT JOIN lease l ON l.name = w.name AND l.epoch = w.epoch
    WHERE l.name IS NULL;
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION 'leases were taken over' USING ERRCODE = 'XR001', DETAIL = lost;
    END IF;
    UPDATE journal_head h SET last_seq = w.last
    FROM unnest(streams, bases, ends) AS w (stream, base, last)
    WHERE h.stream = w.stream AND h.last_seq = w.base AND w.base > 0 AND w.last > w.base;
    GET DIAGNOSTICS moved = ROW_COUNT;
    INSERT INTO journal_head (stream, last_seq)
    SELECT w.stream, w.last FROM unnest(streams, bases, ends) AS w (stream, base, last)
    WHERE w.base = 0 AND w.last > 0
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS opened = ROW_COUNT;
    IF moved + opened <> (SELECT count(*) FROM unnest(bases, ends) AS w (base, last) WHERE w.last > w.base) THEN
        RAISE EXCEPTION 'a stream does not end where its writer thinks' USING ERRCODE = 'XR002';
    END IF;
    PERFORM pg_notify('journal_' || current_schema(), '');
END
$$;
