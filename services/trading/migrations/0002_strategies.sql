-- What of a position the orders of a strategy have made; the rest of it was made by orders of none.
CREATE TABLE strategy_position (
    account        text    NOT NULL,
    instrument     text    NOT NULL,
    position_id    text    NOT NULL,
    strategy       text    NOT NULL CHECK (strategy <> ''),
    quantity       numeric NOT NULL,
    counter_amount numeric NOT NULL,
    PRIMARY KEY (account, instrument, position_id, strategy)
);

-- Positions of before: whose orders were all of one strategy is that strategy's. What several made together cannot be
-- told apart here and counts as nobody's, until it is closed.
INSERT INTO strategy_position
SELECT p.account, p.instrument, p.position_id, o.strategy, p.quantity, p.counter_amount
FROM account_position AS p
JOIN (
    SELECT account, instrument, min(strategy) AS strategy FROM client_order
    GROUP BY account, instrument HAVING min(strategy) = max(strategy)
) AS o USING (account, instrument)
WHERE o.strategy <> '';

-- Called in the statement of commit_reports, so that both are one transaction and one round trip.
CREATE FUNCTION keep_strategies(
    s_accounts text[], s_instruments text[], s_ids text[], s_strategies text[], s_quantities text[], s_amounts text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(s_accounts) > 0 THEN
        INSERT INTO strategy_position
        SELECT s.account, s.instrument, s.id, s.strategy, s.quantity::numeric, s.amount::numeric
        FROM unnest(s_accounts, s_instruments, s_ids, s_strategies, s_quantities, s_amounts)
                 AS s (account, instrument, id, strategy, quantity, amount)
        ON CONFLICT (account, instrument, position_id, strategy)
            DO UPDATE SET quantity = excluded.quantity, counter_amount = excluded.counter_amount;
    END IF;
END
$$;
