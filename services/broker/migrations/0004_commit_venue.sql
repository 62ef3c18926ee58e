-- What the holder of a venue did, in one round trip: instructions that are sent or done, orders as they stand, reports
-- under the numbers that he expects, and what went into simulated books. Refused as a whole with XR001 if another
-- instance has the venue, and with XR010 if the newest report is not the one that he numbered from.
CREATE FUNCTION commit_venue(
    lease_name text, lease_epoch bigint, sent bigint[], done bigint[],
    o_ids text[], o_statuses smallint[], o_versions integer[], o_venue_ids text[], o_filled bigint[], o_earlier bigint[],
    c_ids text[], c_contents bytea[],
    reports_after bigint, r_accounts text[], r_orders text[], r_venues text[], r_kinds smallint[], r_keys text[],
    r_contents bytea[],
    b_venues text[], b_instruments text[], b_numbers bigint[], b_told bigint[], b_contents bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM lease WHERE name = lease_name AND epoch = lease_epoch FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another instance has %', lease_name USING ERRCODE = 'XR001';
    END IF;
    IF cardinality(sent) > 0 THEN
        UPDATE instruction SET state = 1, sent_time = clock_timestamp() WHERE number = ANY (sent);
    END IF;
    IF cardinality(done) > 0 THEN
        UPDATE instruction SET state = 2 WHERE number = ANY (done);
    END IF;
    IF cardinality(o_ids) > 0 THEN
        UPDATE venue_order o SET status = w.status, version = w.version, venue_order_id = w.venue_id, filled = w.filled,
            earlier = w.earlier, update_time = now()
        FROM unnest(o_ids, o_statuses, o_versions, o_venue_ids, o_filled, o_earlier)
                 AS w (id, status, version, venue_id, filled, earlier)
        WHERE o.order_id = w.id;
    END IF;
    IF cardinality(c_ids) > 0 THEN
        UPDATE venue_order o SET content = w.content FROM unnest(c_ids, c_contents) AS w (id, content)
        WHERE o.order_id = w.id;
    END IF;
    IF cardinality(b_instruments) > 0 THEN
        INSERT INTO book_input (venue, instrument, number, told, content)
        SELECT * FROM unnest(b_venues, b_instruments, b_numbers, b_told, b_contents);
    END IF;
    IF cardinality(r_accounts) > 0 THEN
        UPDATE report_head SET last_sequence = last_sequence + cardinality(r_accounts)
        WHERE last_sequence = reports_after;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the newest report is not %', reports_after USING ERRCODE = 'XR010';
        END IF;
        INSERT INTO venue_report (sequence, account, order_id, venue, kind, exec_key, content)
        SELECT reports_after + w.n, w.account, w.order_id, w.venue, w.kind, nullif(w.key, ''), w.content
        FROM unnest(r_accounts, r_orders, r_venues, r_kinds, r_keys, r_contents) WITH ORDINALITY
                 AS w (account, order_id, venue, kind, key, content, n);
        PERFORM pg_notify('broker_reports_' || current_schema(), (reports_after + cardinality(r_accounts))::text);
    END IF;
END
$$;
