"""Margin: grids, netting, credits and tiers, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.kernel import vanilla
from crossrate.kernel.revalue import Markets
from services.risk.domain import margin
from services.risk.domain.margin import Grid, Scan, Spread
from services.risk.domain.refusal import Refused
from tests.unit.risk.books import EURUSD, GBPUSD, book

PAIRS = (EURUSD, GBPUSD)
MARKETS = Markets(np.array([1.1, 1.3]), np.ones(2))
WHOLE = np.zeros(4, np.int64)


def grid(**changed: object) -> Grid:
    """Three percent and two points, SPAN's usual extremes."""
    own = {"scans": (Scan(0.03, 0.02, 0.0),), "extreme_multiple": 2.0, "extreme_cover": 0.35, "spreads": ()}
    return Grid(**own | {"credit_option_value": False} | changed)


def spread(**changed: object) -> Spread:
    """Four fifths for euro against pound."""
    own = {"first": EURUSD, "second": GBPUSD, "first_ratio": 1.0, "second_ratio": 1.0, "credit_rate": 0.8}
    return Spread(**own | {"same_side": False, "field": "scan.spreads[0]"} | changed)


def test_a_forward_needs_the_range() -> None:
    """A million euro at 1.10 loses three percent of 1.1 million; the extreme six percent count for 35 percent of it."""
    own = book(1, notional=[1e6])
    found = margin.scanned(own, Markets(np.array([1.1]), np.ones(1)), WHOLE[:1], 1, grid())
    assert found.maintenance[0] == pytest.approx(33_000, rel=1e-12)
    point = margin.points(grid(), grid().scans[0])[found.worst[0, 0]]
    assert (point.name, point.spot_move) == ("spot down 3/3, volatility up", pytest.approx(-0.03))
    wide = margin.scanned(own, Markets(np.array([1.1]), np.ones(1)), WHOLE[:1], 1, grid(extreme_multiple=3.0))
    point = margin.points(grid(extreme_multiple=3.0), grid().scans[0])[wide.worst[0, 0]]
    assert wide.maintenance[0] == pytest.approx(0.35 * 0.09 * 1.1e6, rel=1e-12)
    assert point.name == "spot down 3 times the range, 35% of the loss"


def test_positions_are_netted_in_a_pair_and_between_accounts_only_in_the_total() -> None:
    """Two accounts on opposite sides need margin each, and together none."""
    own = book(2, notional=[1e6, -1e6], strike=[1.1])
    one = Markets(np.array([1.1]), np.ones(1))
    apart = margin.scanned(own, one, np.array([0, 1]), 2, grid())
    assert np.allclose(apart.maintenance, 33_000)
    together = margin.scanned(own, one, np.array([0, 0]), 1, grid())
    assert together.maintenance[0] == pytest.approx(0.0, abs=1e-6)
    assert together.positions.tolist() == [[2]]


def test_an_option_needs_its_worst_price_on_the_grid() -> None:
    """Sold calls: the greatest of sixteen losses of full revaluation, or the least charge; their worth is added."""
    own = book(1, kind=[1], strike=[1.1], notional=[-1e6], time=[0.25])
    one = Markets(np.array([1.1]), np.ones(1))
    found = margin.scanned(own, one, WHOLE[:1], 1, grid())
    points = margin.points(grid(), grid().scans[0])
    spot = 1.1 * np.array([1 + each.spot_move for each in points])
    volatility = 0.1 + np.array([each.volatility_move for each in points])
    now = float(vanilla.price(1, 1.1, 1.1, 0.25, 0.1, 0.0, 0.0))
    losses = 1e6 * (vanilla.price(1, spot, 1.1, 0.25, volatility, 0.0, 0.0) - now) * [each.cover for each in points]
    assert found.maintenance[0] == pytest.approx(losses.max(), rel=1e-9)
    assert found.worst[0, 0] == losses.argmax()
    least = margin.scanned(own, one, WHOLE[:1], 1, grid(scans=(Scan(0.03, 0.02, 0.05),)))
    assert least.maintenance[0] == pytest.approx(0.05 * 1.1e6, rel=1e-12)
    paid = margin.scanned(own, one, WHOLE[:1], 1, grid(credit_option_value=True))
    assert paid.maintenance[0] == pytest.approx(losses.max() + 1e6 * now, rel=1e-9)
    assert paid.option_value[0] == pytest.approx(-1e6 * now, rel=1e-9)


def test_a_spread_is_credited_on_both_legs() -> None:
    """A million dollars of euro against half as much pound: all of the pound and half of the euro are spread."""
    own = book(2, pairs=PAIRS, market=[0, 1], notional=[1e6 / 1.1, -5e5 / 1.3], strike=[1.1, 1.3])
    found = margin.scanned(own, MARKETS, WHOLE[:2], 1, grid(spreads=(spread(),)))
    assert np.allclose(found.risk, [[30_000, 15_000]])
    assert np.allclose(found.credit, [[0.8 * 15_000, 0.8 * 15_000]])
    assert found.maintenance[0] == pytest.approx(45_000 - 24_000, rel=1e-9)
    other = margin.scanned(own, MARKETS, WHOLE[:2], 1, grid(spreads=(spread(same_side=True),)))
    assert other.maintenance[0] == pytest.approx(45_000, rel=1e-9)


def test_tiers_charge_slices() -> None:
    """Two percent of the first million dollars, five of what is above; a table for each pair, or one for all."""
    own = book(2, pairs=PAIRS, market=[0, 1], notional=[2e6 / 1.1, -5e5 / 1.3])
    table = [(0.0, 0.02), (1e6, 0.05)]
    found = margin.tiered(own, MARKETS, WHOLE[:2], 1, [table])
    assert np.allclose(found.risk, [[70_000, 10_000]])
    found = margin.tiered(own, MARKETS, WHOLE[:2], 1, [table, [(0.0, 0.1)]])
    assert np.allclose(found.maintenance, [120_000])
    assert found.worst.tolist() == [[-1, -1]]


def test_what_does_not_fit_is_refused() -> None:
    """The field is named, and what would do."""
    own = book(1, pairs=PAIRS)
    for changed, words in (
        ({"scans": (Scan(0.03, 0.02, 0.0),) * 3}, r"scan.scans: has 3 elements for 2 markets"),
        ({"spreads": (spread(second=EURUSD),)}, r"scan.spreads\[0\].second: EUR/USD is the first leg"),
    ):
        with pytest.raises(Refused, match=words):
            margin.scanned(own, MARKETS, WHOLE[:1], 1, grid(**changed))
    with pytest.raises(Refused, match=r"scan.spreads\[0\].second: GBP/USD is none of the book's pairs"):
        margin.scanned(book(1), Markets(np.array([1.1]), np.ones(1)), WHOLE[:1], 1, grid(spreads=(spread(),)))
    for tiers in ([(1.0, 0.1)], [(0.0, 0.1), (5.0, 0.1), (5.0, 0.2)]):
        with pytest.raises(
            Refused, match=rf"tiered.tables\[0\].tiers\[{len(tiers) - 1}\].bound: .* begin at 0 and ascend"
        ):
            margin.tiered(own, MARKETS, WHOLE[:1], 1, [tiers])
