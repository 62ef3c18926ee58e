"""What moves positions without a report of trading, as shares of blocks do, counts as fills do."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.ledger.v1 import balance_pb2
from services.risk.domain.pretrade.amounts import FINE_SCALE, PRICE_SCALE, SCALE
from services.risk.domain.pretrade.limits import Check, Limit
from services.risk.ledger_peer import movements_of
from services.risk.slices import Held, positions
from tests.unit.risk.pretrade.bench import Bench, count, failed, money

LIMITS = (
    count("account:*", Check.POSITION, "100000"),
    money("platform", Check.GROSS_EXPOSURE, "1000000"),
    Limit("account:*", Check.MARGIN, SCALE),
)
SHARE = {("EUR/USD", ""): (90_000 * SCALE, -90_000 * SCALE * PRICE_SCALE)}


def test_a_share_counts_in_limits_margin_and_exposure() -> None:
    """90,000 euros allocated leave 10,000 of a position limit of 100,000, use margin and are a long position."""
    bench = Bench(*LIMITS)
    assert bench.passes(bench.order(quantity="20000"))
    bench.book.move(bench.alpha, dict(SHARE))
    (outcome,) = bench.ask(bench.order(quantity="20000"), validate_only=True)
    assert failed(outcome) == [Check.POSITION]
    assert outcome.margin_before == 4_500 * SCALE
    group = bench.alpha.group
    assert (group.gross, group.longs, group.legs["EUR"].net) == (
        90_000 * SCALE,
        90_000 * SCALE,
        90_000 * SCALE * PRICE_SCALE,
    )
    assert bench.book.platform.gross == 90_000 * SCALE


def test_a_share_makes_profit_and_may_be_closed() -> None:
    """At a bid of 1.1 it has won 9,000; an order that sells all of it reduces, one more unit does not."""
    bench = Bench(*LIMITS)
    bench.book.move(bench.alpha, dict(SHARE))
    bench.quote("EUR/USD", 1.1, 1.1)
    bench.market.revalue(bench.now_ns)
    assert bench.alpha.group.fresh().profit == 9_000 * SCALE
    (sale,) = bench.ask(bench.order(-1, "90000"), validate_only=True)
    assert sale.authorised
    assert sale.reduces
    assert not bench.ask(bench.order(-1, "90001"), validate_only=True)[0].reduces
    scope = gate_pb2.KillScope(kind="account", name="alpha")
    assert positions(bench.book, scope) == [Held("alpha", "EUR/USD", "", 90_000 * SCALE)]


def test_a_block_that_was_shared_out_is_gone_from_its_account() -> None:
    """The block's fill and the movement against it are nothing; made anew, sums say the same."""
    bench = Bench(*LIMITS)
    bench.hold("90000")
    bench.book.move(bench.alpha, {("EUR/USD", ""): (-90_000 * SCALE, 90_000 * SCALE * PRICE_SCALE)})
    assert (bench.alpha.group.gross, bench.alpha.group.profit) == (0, 0)
    bench.book.rebuild()
    assert (bench.alpha.group.gross, bench.alpha.group.profit) == (0, 0)
    assert positions(bench.book, gate_pb2.KillScope(kind="platform")) == []


def test_what_the_ledger_says_again_or_anew_counts_once() -> None:
    """The same movements change nothing, others replace them, none take them back; a whole state leaves them."""
    bench = Bench(*LIMITS)
    for _ in range(2):
        bench.book.move(bench.alpha, dict(SHARE))
        assert bench.alpha.group.gross == 90_000 * SCALE
    bench.book.replace_state(bench.alpha, 7, (), [(("EUR/USD", "", "carry"), -40_000 * SCALE, 40_000 * FINE_SCALE)])
    assert bench.alpha.group.gross == 50_000 * SCALE
    bench.book.move(bench.alpha, {("USD/JPY", ""): (SCALE, 0)})
    assert bench.alpha.group.gross == 40_001 * SCALE
    bench.book.move(bench.alpha, {})
    assert bench.alpha.group.gross == 40_000 * SCALE


def test_movements_are_read_exactly_or_not_at_all() -> None:
    """Fourteen places are kept; what came to nothing is left out; an instrument that is none is said."""
    equity = balance_pb2.Equity(account="alpha")
    equity.movements.add(instrument="EUR/USD", quantity="-0.0001", counter_amount="0.00010000000001")
    equity.movements.add(instrument="USD/JPY", quantity="0", counter_amount="0")
    assert movements_of(equity, {"EUR/USD", "USD/JPY"}) == {("EUR/USD", ""): (-1, int(Decimal("10000000001")))}
    with pytest.raises(KeyError, match="USD/JPY"):
        movements_of(equity, {"EUR/USD"})
