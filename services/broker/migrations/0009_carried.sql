-- New orders that the holder of a venue was handed and has carried out before anybody kept them: instructions that are
-- done and orders as they stand, in the statement of commit_venue, which checks that he still has the venue. A repetition
-- violates a key: nothing is committed then.
CREATE FUNCTION keep_carried(
    c_venue text, i_ids text[], i_kind smallint, i_versions integer[], i_pinned boolean[],
    o_ids text[], o_numbers bigint[], o_accounts text[], o_instruments text[], o_statuses smallint[],
    o_versions integer[], o_venue_ids text[], o_filled bigint[], o_earlier bigint[], o_client_ids text[],
    contents bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO instruction (instruction_id, order_id, venue, kind, version, state, pinned, content)
    SELECT w.id, w.order_id, c_venue, i_kind, w.version, 2, w.pinned, w.content
    FROM unnest(i_ids, o_ids, i_versions, i_pinned, contents) AS w (id, order_id, version, pinned, content);
    INSERT INTO venue_order (number, order_id, account, venue, instrument, status, version, venue_order_id, filled,
                             earlier, content, client_id)
    SELECT w.number, w.id, w.account, c_venue, w.instrument, w.status, w.version, w.venue_id, w.filled, w.earlier,
           w.content, w.client_id
    FROM unnest(o_numbers, o_ids, o_accounts, o_instruments, o_statuses, o_versions, o_venue_ids, o_filled, o_earlier,
                contents, o_client_ids)
             AS w (number, id, account, instrument, status, version, venue_id, filled, earlier, content, client_id);
END
$$;
