"""How an account stands to its margin, by numbers that can be done by heart."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from services.risk.domain.pretrade.amounts import SCALE
from services.risk.domain.pretrade.standing import Levels, State, Untold, Worth, worth_of
from tests.unit.risk.pretrade.bench import SECOND_NS, Bench

LEVELS = Levels(SCALE, SCALE // 2, SCALE // 20)


def worth(bench: Bench, name: str = "alpha") -> Worth:
    """What an account is worth now."""
    return worth_of(bench.book.account(name), bench.market, bench.now_ns)


def test_positions_are_closed_at_the_side_that_pays_less() -> None:
    """A million euros bought at 1 are worth the bid and take margin at the ask; sold ones are closed at the ask."""
    bench = Bench(funds=100_000)
    bench.hold("1000000")
    bench.quote("EUR/USD", 0.98, 0.99)
    found = worth(bench)
    assert (found.equity, found.used) == (80_000 * SCALE, 49_500 * SCALE)
    assert found.level == 16_161
    bench.hold("-2000000", "1")
    found = worth(bench)
    assert (found.equity, found.used) == (110_000 * SCALE, 49_500 * SCALE)
    assert found.by_instrument == {"EUR/USD": 49_500 * SCALE}


def test_orders_that_work_take_no_margin_here() -> None:
    """The check before the trade has reserved it; a call is about what is held."""
    bench = Bench(funds=100_000)
    bench.work(bench.order(quantity="1000000", price="1"))
    assert worth(bench) == Worth(100_000 * SCALE)
    assert worth(bench).level is None


def test_of_a_hedging_account_the_larger_side_takes_margin() -> None:
    """300,000 long in one position and 200,000 short in another take the margin of 300,000; their profits add up."""
    bench = Bench(funds=50_000)
    bench.hold("300000", "0.9", position_id="one")
    bench.hold("-200000", "0.8", position_id="two")
    found = worth(bench)
    assert (found.used, found.equity) == (15_000 * SCALE, (50_000 + 30_000 - 40_000) * SCALE)


def test_what_is_owed_is_bought_at_the_dearer_side() -> None:
    """Yen that were lost are bought with dollars at the bid of USD/JPY, over the dollar into the account's euros."""
    bench = Bench()
    bench.open("euro", currency="EUR", funds=1000)
    bench.quote("USD/JPY", 100.0, 125.0)
    bench.quote("EUR/USD", 1.0, 1.25)
    bench.hold("1000", "100", "USD/JPY", account="euro")
    bench.hold("-1000", "80", "USD/JPY", account="euro")
    # 20,000 yen are owed: 200 dollars at 100, 200 euros at 1.
    assert worth(bench, "euro").equity == 800 * SCALE


def test_nothing_is_told_without_a_live_quote() -> None:
    """A stale quote, an old one, one that conversion needs, funds or a state that is not known: each is named."""
    bench = Bench(funds=100_000)
    bench.hold("1000000")
    bench.hold("1000", "100", "USD/JPY")
    bench.quote("USD/JPY", 100, 100, "STALE")
    with pytest.raises(Untold, match=r"USD/JPY: the quote is STALE"):
        worth(bench)
    bench.quote("USD/JPY", 100, 100)
    bench.now_ns += 11 * SECOND_NS
    with pytest.raises(Untold, match="EUR/USD"):
        worth(bench)
    bench.quote("EUR/USD", 1, 1)
    bench.quote("USD/JPY", 100, 100)
    assert worth(bench).used
    bench.alpha.funds = None
    with pytest.raises(Untold, match="funds"):
        worth(bench)
    bench.alpha.known = False
    with pytest.raises(Untold, match="trading"):
        worth(bench)


@pytest.mark.parametrize(
    ("before", "level", "after"),
    [
        (State.OK, 10_000, State.OK),
        (State.OK, 9_999, State.CALL),
        (State.OK, 5_000, State.CLOSE_OUT),
        (State.CALL, 10_499, State.CALL),
        (State.CALL, 10_500, State.OK),
        (State.CALL, 5_001, State.CALL),
        (State.CLOSE_OUT, 5_249, State.CLOSE_OUT),
        (State.CLOSE_OUT, 5_250, State.CALL),
        (State.CLOSE_OUT, 10_400, State.CALL),
        (State.CLOSE_OUT, 20_000, State.OK),
    ],
)
def test_a_state_is_left_only_beyond_its_level(before: State, level: int, after: State) -> None:
    """A call below 1, a close-out at 0.5; let go on 5 percent above."""
    assert LEVELS.state(before, Worth(level, SCALE)) is after


def test_without_positions_a_debt_is_called_and_nothing_closed() -> None:
    """There is nothing to close; and a close-out at 0 never comes."""
    assert LEVELS.state(State.CLOSE_OUT, Worth(-1)) is State.CALL
    assert LEVELS.state(State.CALL, Worth(0)) is State.OK
    assert Levels(SCALE, 0, 0).state(State.OK, Worth(-5, SCALE)) is State.CALL


@given(equity=st.integers(-(10**9), 10**9), used=st.integers(1, 10**9))
def test_what_is_closed_is_enough_and_not_more(equity: int, used: int) -> None:
    """Without the excess the close-out is over; with one step more of margin it is not."""
    found = Worth(equity, used)
    excess = LEVELS.excess(found)
    if equity <= 0:
        assert excess == used
    elif 0 < excess < used:
        assert LEVELS.state(State.CLOSE_OUT, Worth(equity, used - excess)) is not State.CLOSE_OUT
        more = Worth(equity, used - excess + 2)
        assert more.level < LEVELS.release + 1
