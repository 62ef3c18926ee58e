"""What a reduction is while other orders work, and that no limit refuses one."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given, settings

from services.risk.domain.pretrade.gate import Gate, Mode, Rule
from services.risk.domain.pretrade.limits import Check
from services.risk.domain.pretrade.orders import OCO, OTO, Order, Status
from tests.unit.risk.pretrade.bench import Bench, count, money

NOTHING = [
    count("platform", Check.ORDER_QUANTITY, "0"),
    money("platform", Check.ORDER_NOTIONAL, "0"),
    count("account:*", Check.POSITION, "0"),
    money("account:*", Check.CURRENCY_EXPOSURE, "0"),
    money("platform", Check.GROSS_EXPOSURE, "0"),
    money("platform", Check.NET_EXPOSURE, "0"),
    count("account:*", Check.MARGIN, "0"),
    money("account:*", Check.DAILY_LOSS, "0"),
    count("platform", Check.ORDER_RATE, "0", 1),
    count("account:*", Check.DUPLICATE, "0", 1),
    count("platform", Check.OPEN_ORDERS, "0"),
    count("platform", Check.PRICE_COLLAR, "0"),
]
"""Limits under which nothing that adds can be entered."""


def test_no_limit_refuses_a_reduction() -> None:
    """Not with every limit at nothing, every mode engaged, a stale quote, funds unknown and money lost."""
    bench = Bench(*NOTHING, funds=None)
    bench.hold("5000", "2")
    bench.authoriser.gate = Gate(3, [Rule("platform", "", Mode.FLATTEN)])
    bench.quote("EUR/USD", 1.0, 1.0, "STALE")
    assert bench.passes(bench.order(-1, "5000"))
    assert bench.passes(bench.order(-1, "5000", "0.1"))
    assert not bench.passes(bench.order(-1, "5001"))
    assert not bench.passes(bench.order(1, "1"))


def test_what_works_on_the_same_side_comes_first() -> None:
    """Of 5,000 held 3,000 are offered already: 2,000 more reduce, 2,001 do not; what is bid for does not count."""
    bench = Bench(*NOTHING)
    bench.hold("5000")
    bench.work(bench.order(-1, "3000", "1.5"))
    bench.work(bench.order(1, "9000", "0.5"))
    assert bench.passes(bench.order(-1, "2000"))
    assert not bench.passes(bench.order(-1, "2001"))


def test_reductions_count_among_each_other() -> None:
    """Two halves pass together, a third does not: each is checked with those before it."""
    bench = Bench(*NOTHING)
    bench.hold("-5000")
    done = bench.ask(bench.order(1, "2500"), bench.order(1, "2500"), bench.order(1, "1"))
    assert [each.authorised for each in done] == [True, True, False]


def test_a_list_of_exits_counts_once() -> None:
    """Take profit and stop loss of one list take each other's place, so both may be as large as the position."""
    bench = Bench(*NOTHING)
    bench.hold("5000")
    exits = [bench.order(-1, "5000", "1.5", list_id="x", contingency=OCO) for _ in range(2)]
    assert all(each.authorised for each in bench.ask(*exits))
    assert bench.alpha.group.slots["EUR/USD"].sells == 5000 * 10_000


def test_reduce_only_reduces_whatever_else_works() -> None:
    """Trading cuts it; on the wrong side, or larger than the position, it does not reduce."""
    bench = Bench(*NOTHING)
    bench.hold("5000")
    bench.work(bench.order(-1, "5000", "1.5"))
    assert bench.passes(bench.order(-1, "5000", reduce_only=True))
    assert not bench.passes(bench.order(-1, "5001", reduce_only=True))
    assert not bench.passes(bench.order(1, "1", reduce_only=True))
    assert not bench.passes(bench.order(-1, "1"))


def test_protections_wait_for_what_opens() -> None:
    """Orders held until another is filled, that can only close what it opens, reserve nothing until then."""
    bench = Bench()
    first = bench.work(bench.order(1, "1000", "0.9", list_id="x", contingency=OTO))
    waiting = bench.order(-1, "1000", "1.2", list_id="x", contingency=OTO, parent=first.order_id)
    waiting.status = Status.SUSPENDED
    assert bench.ask(waiting)[0].authorised
    slot = bench.alpha.group.slots["EUR/USD"]
    assert (slot.buys, slot.sells) == (1000 * 10_000, 0)
    bench.book.remove(bench.alpha, first.order_id)
    assert (slot.buys, slot.sells) == (0, 1000 * 10_000)


def test_a_hedging_account_reduces_by_position() -> None:
    """An order that names a position is compared with that one, however the account stands in all."""
    bench = Bench(*NOTHING)
    bench.hold("5000", position_id="a")
    bench.hold("-9000", position_id="b")
    assert bench.passes(bench.order(-1, "5000", position_id="a"))
    assert not bench.passes(bench.order(-1, "5001", position_id="a"))
    assert bench.passes(bench.order(1, "9000", position_id="b"))
    assert not bench.passes(bench.order(1, "1", position_id="a"))


def test_a_swap_of_equal_legs_moves_nothing() -> None:
    """It is checked by its size, and adds to no position."""
    bench = Bench(count("account:*", Check.POSITION, "0"), count("account:*", Check.ORDER_QUANTITY, "1000"))
    swap = {"is_swap": True, "far": 1000 * 10_000}
    assert bench.passes(bench.order(1, "1000", **swap))
    assert not bench.passes(bench.order(1, "900", is_swap=True, far=1001 * 10_000))
    assert bench.ask(bench.order(1, "1000", **swap))[0].authorised
    assert bench.alpha.group.gross == 0


def test_what_does_not_add_to_a_breach_passes() -> None:
    """2,000 held where 1,000 are allowed: selling 4,000 leaves the worst case at 2,000, selling more does not."""
    bench = Bench(money("account:*", Check.GROSS_EXPOSURE, "1000"))
    bench.hold("2000")
    assert not bench.passes(bench.order(1, "1"))
    assert not bench.passes(bench.order(1, "1", instrument="GBP/USD"))
    assert bench.passes(bench.order(-1, "4000"))
    assert not bench.passes(bench.order(-1, "4001"))


def test_an_amendment_is_checked_by_what_it_adds() -> None:
    """Of 4,000 allowed 3,000 work: up to 4,000 passes, 4,001 does not and leaves what was; less always does."""
    bench = Bench(count("account:*", Check.POSITION, "4000"), count("platform", Check.PRICE_COLLAR, "100"))
    order = bench.work(bench.order(1, "3000", "0.9"))

    def amended(quantity: str, price: str = "0.9") -> Order:
        other = bench.order(1, quantity, price)
        other.order_id = order.order_id
        return other

    slot = bench.alpha.group.slots["EUR/USD"]
    assert not bench.amend(amended("4001")).authorised
    assert slot.buys == 3000 * 10_000
    assert bench.amend(amended("4000")).authorised
    assert slot.buys == 4000 * 10_000
    assert bench.amend(amended("100")).authorised
    assert slot.buys == 3000 * 10_000
    assert not bench.amend(amended("3000", "1.02")).authorised


def test_an_atomic_group_passes_whole_or_not_at_all() -> None:
    """One that fails takes the others of its group with it, and nobody else."""
    bench = Bench(count("account:*", Check.ORDER_QUANTITY, "100"))
    orders = [bench.order(1, quantity) for quantity in ("1", "2", "101", "3")]
    done = bench.ask(*orders, groups=[1, 2, 1, 0])
    assert [each.authorised for each in done] == [False, True, False, True]
    assert set(bench.alpha.working) == {orders[1].order_id, orders[3].order_id}


@settings(max_examples=200, deadline=None)
@given(
    held=st.integers(-50, 50),
    working=st.lists(st.tuples(st.sampled_from([1, -1]), st.integers(1, 20)), max_size=5),
    asked=st.tuples(st.sampled_from([1, -1]), st.integers(1, 60)),
)
def test_no_reduction_can_turn_a_position(held: int, working: list[tuple[int, int]], asked: tuple[int, int]) -> None:
    """Whatever of the same side is filled after it, the position is not taken beyond zero; and whatever keeps to that
    is a reduction."""
    bench = Bench(*NOTHING)
    if held:
        bench.hold(str(held * 1000))
    for side, quantity in working:
        bench.work(bench.order(side, str(quantity * 1000), "1"))
    side, quantity = asked
    same = quantity + sum(units for way, units in working if way == side)
    stays = held * side < 0 and abs(held) >= same
    assert bench.passes(bench.order(side, str(quantity * 1000))) == stays
