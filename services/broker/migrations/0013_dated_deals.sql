-- Books of a pair and a date ("EUR/USD 2026-12-29") of the simulated exchange, as `book` has those of pairs; what went in
-- since is in `book_input`. Apart, since instances of the version before take every row of `book` for a pair.
CREATE TABLE dated_book (
    venue text NOT NULL,
    instrument text NOT NULL,
    number bigint NOT NULL,
    told bigint NOT NULL,
    state bytea NOT NULL,
    spec text NOT NULL,
    PRIMARY KEY (venue, instrument)
);
-- As before, for deals of which some are swaps: `d_nets` is what each does to the position, null where that is its
-- quantity. Instances of the version before call the one with twelve arguments.
CREATE FUNCTION keep_deals(
    d_venue text, d_numbers bigint[], d_exec_ids text[], d_order_ids text[], d_instruments text[], d_sides smallint[],
    d_quantities bigint[], d_prices text[], d_times bigint[], d_nets bigint[],
    p_instruments text[], p_quantities bigint[], p_copies bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO drop_copy (venue, number, kind, exec_id, ref, venue_order_id, client_id, instrument, side, quantity,
                           price, time_ns, net)
    SELECT d_venue, c.number, 1, c.exec_id, '', c.order_id, '', c.instrument, c.side, c.quantity, c.price::numeric,
           c.time, c.net
    FROM unnest(d_numbers, d_exec_ids, d_order_ids, d_instruments, d_sides, d_quantities, d_prices, d_times, d_nets)
             AS c (number, exec_id, order_id, instrument, side, quantity, price, time, net);
    INSERT INTO venue_position AS p (venue, instrument, quantity, copies)
    SELECT d_venue, w.instrument, w.quantity, w.copies
    FROM unnest(p_instruments, p_quantities, p_copies) AS w (instrument, quantity, copies)
    ON CONFLICT (venue, instrument)
        DO UPDATE SET quantity = p.quantity + excluded.quantity, copies = excluded.copies;
END
$$;
