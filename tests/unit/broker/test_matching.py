"""Books compared: what is under way is no break, what is wrong is one, by a model that only looks at the end."""

from __future__ import annotations

import random
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.broker.domain.books import BUY, Fill, OwnOrder, Statement
from services.broker.domain.breaks import GATES, Kind, adopted_id, break_id
from services.broker.domain.matching import Matcher
from services.broker.domain.routing import Rule, Standing, choose, nowhere_else
from services.broker.reconciling.gates import wanted
from services.broker.store.breaks import Market
from tests.unit.broker.reconciled_model import SECOND, World, differences

FAULTS = (
    "lose_report",
    "lose_copy",
    "lose_both",
    "repeat",
    "alter_quantity",
    "alter_price",
    "alter_side",
    "lose_end",
    "by_hand",
)
FILL = Fill("E1", "EUR/USD", BUY, 10_000, Decimal("1.08"), "O1", "S1")


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_an_honest_venue_has_no_break(seed: int) -> None:
    """However long its words are under way, each on its own way, nothing ever lasts longer than the grace time."""
    world = World(seed, ())
    for _ in range(120):
        world.step()
        assert world.breaks == {}
    world.settle()
    assert world.breaks == {}
    assert world.matcher.open == {}
    assert world.matcher.compared.ours == world.matcher.compared.theirs > 10


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_an_honest_venue_without_a_drop_copy_has_no_break(seed: int) -> None:
    """Its statement is ahead of what we were told, each time with something else: the clock begins anew."""
    world = World(seed, (), copied=False)
    for _ in range(120):
        world.step()
        assert world.breaks == {}
    world.settle()
    assert world.breaks == {}


@settings(max_examples=120, deadline=None)
@given(st.integers(min_value=0, max_value=2**32), st.sets(st.sampled_from(FAULTS), min_size=1))
def test_what_is_wrong_is_a_break_and_nothing_else_is(seed: int, faults: set[str]) -> None:
    """When everything has arrived the breaks are the differences of the whole books."""
    world = World(seed, faults)
    for _ in range(100):
        world.step()
    world.settle()
    wrong = differences(world)
    # Whether a fill that one book has alone repeats another is a matter of what the other says.
    found = {(Kind.UNKNOWN_FILL if kind is Kind.DUPLICATE_FILL else kind, name) for kind, name in world.breaks}
    assert found == wrong
    twice = {name.removeprefix("fill:") for kind, name in world.breaks if kind is Kind.DUPLICATE_FILL}
    if faults == {"repeat"}:
        assert twice == {each for each in world.repeated if each in world.ours}


@settings(max_examples=40, deadline=None)
@given(st.integers(min_value=0, max_value=2**32), st.sets(st.sampled_from(FAULTS), min_size=1))
def test_a_matcher_that_begins_anew_finds_the_same(seed: int, faults: set[str]) -> None:
    """Read from the beginning in another order of arrival, the books give the same breaks: ids outlive a restart."""
    world = World(seed, faults)
    for _ in range(80):
        world.step()
    world.settle()
    before = {name for _, name in world.breaks}
    fresh = Matcher(copied=True, late_s=60.0, grace_ns=world.matcher.grace_ns)
    fills = [(fresh.ours, each) for each in world.ours.values()] + [
        (fresh.theirs, each) for each in world.theirs.values()
    ]
    random.Random(seed).shuffle(fills)
    for take, each in fills:
        take(each.exec_id, each, world.now)
    world.matcher = fresh
    world.look()
    world.settle()
    assert {name for _, name in world.breaks} == before


def test_what_is_taken_back_on_both_sides_agrees() -> None:
    """Also a correction under a new id, and its own correction by either id."""
    matcher = Matcher()
    matcher.ours("E1", FILL, 0)
    matcher.theirs("E1", FILL, 0)
    now = Fill("E1", "EUR/USD", BUY, 20_000, Decimal("1.08"), "O1", "S1")
    matcher.ours("E2", now, 1, "E1")
    assert [each.kind for each in matcher.findings(None, 2)] == [Kind.QUANTITY]
    matcher.theirs("E2", now, 3, "E1")
    assert matcher.findings(None, 4) == []
    matcher.ours("E2", None, 5)
    matcher.theirs("E1", None, 6)
    assert matcher.findings(None, 7) == []
    assert matcher.findings(Statement((), {"EUR/USD": 0}), 8) == []


def test_a_silent_drop_copy_accuses_nobody() -> None:
    """While it is not heard its silence means nothing; from when it is heard the clock runs."""
    matcher = Matcher(copy_since_ns=None)
    matcher.ours("E1", FILL, 0)
    (finding,) = matcher.findings(None, 100 * SECOND)
    assert finding.since_ns > 1 << 61
    matcher.copy_since_ns = 90 * SECOND
    (finding,) = matcher.findings(None, 100 * SECOND)
    assert (finding.kind, finding.since_ns) == (Kind.UNKNOWN_FILL, 90 * SECOND)


def test_an_order_that_is_not_answered_is_late() -> None:
    """Only after its time, and whether the venue states it or not."""
    sent = OwnOrder("O1", "alpha", "EUR/USD", "", "X1", "sent", False, False, BUY, 10_000, None, 0, 20.0)
    matcher = Matcher(late_s=30.0)
    assert matcher.findings(Statement((), own={"O1": sent}), 1) == []
    late = OwnOrder("O1", "alpha", "EUR/USD", "", "X1", "sent", False, False, BUY, 10_000, None, 0, 31.0)
    (finding,) = matcher.findings(Statement((), own={"O1": late}), 2)
    assert finding.kind is Kind.LATE
    assert Kind.LATE not in GATES


def test_trading_is_asked_until_it_has_a_fill() -> None:
    """Before it answers nothing is said; what it has otherwise is named; what was taken back need not be there."""
    matcher = Matcher()
    matcher.expect_booked(FILL, "E1")
    assert matcher.findings(None, 1) == []
    matcher.booked("E1", None, 2)
    assert [(each.kind, each.since_ns) for each in matcher.findings(None, 9)] == [(Kind.NOT_BOOKED, 2)]
    other = Fill("E1", "EUR/USD", BUY, 30_000, Decimal("1.08"))
    matcher.booked("E1", other, 3)
    (finding,) = matcher.findings(None, 9)
    assert "30" not in finding.books[0].price
    assert "trading has buy 3" in finding.text
    matcher.booked("E1", FILL, 4)
    assert matcher.findings(None, 9) == []
    matcher.expect_booked(FILL, "E1")
    matcher.forget_booked("E1")
    assert matcher.unbooked == {}


def test_the_ledger_is_asked_for_what_trading_has() -> None:
    """Not before trading has it; what the ledger lacks or has otherwise is named, with why; taken back, it need not."""
    matcher = Matcher()
    matcher.expect_booked(FILL, "E1")
    assert matcher.unledgered == {}
    matcher.booked("E1", FILL, 1)
    assert matcher.findings(None, 2) == []
    matcher.ledgered("E1", None, "account alpha is not open", 3)
    (finding,) = matcher.findings(None, 9)
    assert (finding.kind, finding.since_ns, finding.subject) == (Kind.NOT_IN_LEDGER, 3, "ledger:E1")
    assert "account alpha is not open" in finding.text
    assert GATES[finding.kind] == GATES[Kind.NOT_BOOKED]
    matcher.ledgered("E1", Fill("E1", "EUR/USD", BUY, 30_000, Decimal("1.08")), "", 4)
    (finding,) = matcher.findings(None, 9)
    assert (finding.since_ns, finding.books[2].quantity) == (4, 30_000)
    matcher.ledgered("E1", FILL, "", 5)
    assert matcher.findings(None, 9) == []
    matcher.expect_booked(FILL, "E1")
    matcher.booked("E1", FILL, 6)
    matcher.forget_booked("E1")
    assert matcher.unledgered == {}


def test_ids_are_made_of_what_differs_alone() -> None:
    """The same for the same kind, venue and subject; another for any other."""
    one = break_id(Kind.MISSING_FILL, "sim", "fill:E1")
    assert one == break_id(Kind.MISSING_FILL, "sim", "fill:E1")
    others = {
        break_id(Kind.UNKNOWN_FILL, "sim", "fill:E1"),
        break_id(Kind.MISSING_FILL, "prime", "fill:E1"),
        break_id(Kind.MISSING_FILL, "sim", "fill:E2"),
        adopted_id("sim", "E1"),
    }
    assert len(others | {one}) == 5


def test_a_gate_is_its_market_and_orders_that_cannot_go_elsewhere() -> None:
    """Orders that name no venue are stopped only where some route has no venue that is not gated."""
    two = [Rule(("*",), ("*",), ("prime", "sim"))]
    markets = [Market("sim", "EUR/USD", 2, ("a",)), Market("prime", "USD/JPY", 1, ("b",))]
    assert [each.scope.name for each in wanted("sim", markets, two).gates] == ["EUR/USD@sim"]
    markets.append(Market("prime", "EUR/USD", 1, ("c",)))
    assert [each.scope.name for each in wanted("sim", markets, two).gates] == ["EUR/USD@sim", "EUR/USD@"]
    assert nowhere_else([*two, Rule(("*/JPY",), ("vip",), ("prime",))], frozenset({"prime"}), "USD/JPY")
    assert not nowhere_else(two, frozenset({"prime"}), "USD/JPY")
    assert wanted("sim", [], two).gates == wanted("other", markets, two).gates


def test_what_may_go_elsewhere_goes_elsewhere() -> None:
    """A venue that is gated in an instrument comes last for it; where nothing else is, it is taken still."""
    rules = [Rule(("*",), ("*",), ("prime", "sim"))]
    gated = Standing(True, True, gated=frozenset({"EUR/USD"}))
    standings = {"prime": gated, "sim": Standing(True, True)}
    assert choose(rules, standings, "EUR/USD", "alpha") == "sim"
    assert choose(rules, standings, "USD/JPY", "alpha") == "prime"
    assert choose(rules, {"prime": gated, "sim": Standing(False, True)}, "EUR/USD", "alpha") == "prime"
    assert choose(rules, standings, "EUR/USD", "alpha", "prime") == "prime"
