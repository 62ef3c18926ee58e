"""Margin: of portfolios in the manner of SPAN, and of notional amounts by tiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import AMOUNT, LEVEL, UNIT, Codes, Interval
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError
from crossrate.kernel.reference import margin as reference
from crossrate.kernel.tables import Argument, array, at_least, of_shape, one_of, run

Array = NDArray[np.float64]

MINIMUM = Interval(0.0, 1e60, "it must be a charge a unit from 0 to 1e60")
SAME_SIDE = Codes(2, "it must be 0 for legs of opposite signs or 1 for legs of one sign")
THIRDS = (0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0)


@dataclass(frozen=True)
class Scenarios:
    """The 16 scenarios of SPAN, in its order.

    Attributes:
        price_move: shape (16,), in the unit of the price scan range.
        volatility_move: shape (16,), in the unit of the volatility scan range; 0 in the extreme ones.
        cover: shape (16,), the part of the loss that counts: 1, and less in the extreme ones.
    """

    price_move: Array
    volatility_move: Array
    cover: Array

    def risk_array(self, pnl: Any) -> Array:
        """Losses positive, extreme ones in their part, from the P&L of one long unit.

        Each loss is rounded once.

        Args:
            pnl: shape (16,) or (instruments, 16).

        Raises:
            ArgumentError: an element is no finite amount.
            ShapeError: there are not 16 scenarios.
        """
        table = array("pnl", pnl, (1, 2))
        of_shape("pnl", table, (*table.shape[:-1], 16), "the scenarios")
        return np.multiply(-table, self.cover)


@dataclass(frozen=True)
class Spread:
    """A credit for positions in two groups whose risks offset each other.

    Attributes:
        first, second: the legs' groups.
        first_ratio, second_ratio: deltas of each leg in one spread, positive.
        credit_rate: part of the legs' price risk that is credited, 0 to 1.
        same_side: whether the legs offset with one sign (negatively correlated prices) instead of opposite ones.
    """

    first: int
    second: int
    first_ratio: float
    second_ratio: float
    credit_rate: float
    same_side: bool = False


@dataclass(frozen=True)
class Requirements:
    """Margin of accounts.

    Attributes:
        scanning_risk: shape (accounts, groups).
        spread_credit: shape (accounts, groups).
        requirement: shape (accounts,), never negative.
    """

    scanning_risk: Array
    spread_credit: Array
    requirement: Array


def scenarios(
    price_scan: float, volatility_scan: float, *, extreme_multiple: float = 2.0, extreme_cover: float = 0.35
) -> Scenarios:
    """Where to revalue: price moves of 0, ±1/3, ±2/3 and ±3/3 of the scan range, each with volatility up and down.

    The last two are extreme moves without a move of volatility, of which only a part of the loss counts.
    Twice the range and 35 percent are SPAN's usual figures (McMillan 2002, page 668, has 14 points for a range of 20).

    Args:
        price_scan: the price scan range, a positive amount in the unit of the price.
        volatility_scan: the volatility scan range, from 0, in the unit of volatility.
        extreme_multiple: extreme moves over the price scan range, positive.
        extreme_cover: the part of the loss, 0 to 1.

    Raises:
        ArgumentError: an argument is out of range.
    """
    rules = {
        "price_scan": (price_scan, LEVEL),
        "volatility_scan": (volatility_scan, Interval(0.0, 1e60, "it must be from 0 to 1e60")),
        "extreme_multiple": (extreme_multiple, Interval(1.0, 100.0, "it must be from 1 to 100")),
        "extreme_cover": (extreme_cover, UNIT),
    }
    for name, (value, rule) in rules.items():
        number = array(name, value, (0,))
        if reason := int(rule.refused(number)):
            raise ArgumentError(name, None, Reason(reason), number.item(), rule.says)
    price = np.append(np.repeat(THIRDS, 2) / 3.0, [extreme_multiple, -extreme_multiple])
    volatility = np.append(np.tile([1.0, -1.0], 7), [0.0, 0.0])
    cover = np.append(np.ones(14), [extreme_cover, extreme_cover])
    return Scenarios(price * price_scan, volatility * volatility_scan, cover)


def portfolio(
    position: Any,
    risk: Any,
    group: Any,
    delta: Any = 0.0,
    *,
    spreads: Sequence[Spread] = (),
    short_minimum: Any = 0.0,
    option_value: Any = 0.0,
) -> Requirements:
    """Margin of accounts from risk arrays, in the manner of SPAN (CME).

    For each group the greatest loss of its scenarios; less credits for spreads between groups, formed in the order
    given from net deltas, each a part of the price risk (the loss without what volatility and time make of it) of the
    deltas used; at least the minimum for short options; summed; less net option value; never below zero. Spreads
    between expiries, delivery and strategies are not charged. All money is in one currency.

    Scanning risk and requirement are within 1e-15 of the sum of the positions' greatest losses, for a few positions.

    Args:
        position: units, long positive, shape (instruments,) or (accounts, instruments).
        risk: loss of one long unit, shape (instruments, 16), of `Scenarios.risk_array`.
        group: which underlying each instrument is on, integers from 0, shape (instruments,).
        delta: of one long unit in the group's common unit, shape (instruments,); needed for spreads.
        spreads: in the order of priority.
        short_minimum: charge for each short unit, shape (instruments,) or one number.
        option_value: market value of a long unit of an option that is paid up front, else 0; shape (instruments,).

    Raises:
        ArgumentError: an element was refused.
        ShapeError: an array has another shape.
        TypeError: an argument is not numeric or has another dtype.
    """
    table = array("position", position, (1, 2))
    count = table.shape[-1]
    at_least("position", count, 1, "at least one instrument is needed")
    rows = table.reshape(-1, count)
    codes = of_shape("group", group, (count,), "the positions", np.int64)
    groups = _groups(codes, spreads)
    losses = of_shape("risk", risk, (count, 16), "16 scenarios of each instrument")
    columns = {
        name: of_shape(name, value, (count,), "the positions")
        for name, value in (("delta", delta), ("short_minimum", short_minimum), ("option_value", option_value))
    }
    legs = _legs(spreads, groups)
    arguments = [
        Argument("accounts", len(rows)),
        Argument("instruments", count),
        Argument("groups", groups),
        Argument("position", table, AMOUNT),
        Argument("group", codes, Interval(0, groups - 1, "it must be the index of a group, from 0")),
        Argument("risk", losses, AMOUNT),
        Argument("delta", columns["delta"], AMOUNT),
        Argument("short_minimum", columns["short_minimum"], MINIMUM),
        Argument("option_value", columns["option_value"], AMOUNT),
        Argument("spreads", len(spreads)),
        *legs,
    ]
    outputs = [np.empty((len(rows), groups)), np.empty((len(rows), groups)), np.empty(len(rows))]
    formed = list(zip(*(leg.value for leg in legs), strict=True))
    twin = lambda: reference.portfolio(rows, codes, groups, losses, *columns.values(), formed)  # noqa: E731
    run("xr_margin_portfolio", arguments, outputs, 20 * groups, twin)
    leading = table.shape[:-1]
    return Requirements(*(each.reshape(leading + each.shape[1:]) for each in outputs))


def _groups(codes: NDArray[np.int64], spreads: Sequence[Spread]) -> int:
    """How many groups the instruments and the spreads name."""
    named = [int(codes.max()), *(max(each.first, each.second) for each in spreads)]
    return one_of("group", max(0, *named) + 1, range(1, 1_000_001), "it must be below a million", Reason.OUT_OF_RANGE)


def _legs(spreads: Sequence[Spread], groups: int) -> list[Argument]:
    """The spreads as columns, in C's order."""
    for place, each in enumerate(spreads):
        if each.first == each.second:
            says = "the legs of a spread are in two groups"
            raise ArgumentError("spreads.second", place, Reason.INCONSISTENT, each.second, says)
    code = Interval(0, groups - 1, "it must be the index of a group, from 0")
    rules = {
        "first": (code, np.int64),
        "second": (code, np.int64),
        "first_ratio": (LEVEL, np.float64),
        "second_ratio": (LEVEL, np.float64),
        "same_side": (SAME_SIDE, np.int8),
        "credit_rate": (UNIT, np.float64),
    }
    return [
        Argument(f"spreads.{name}", np.array([getattr(each, name) for each in spreads], dtype), rule)
        for name, (rule, dtype) in rules.items()
    ]


@dataclass(frozen=True)
class AscendingFromZero:
    """Rows of numbers that begin at zero and ascend."""

    says: str = "a bound must be from 0 to 1e60"

    def refused(self, values: Array) -> NDArray[np.uint8]:
        """The reason for each element, zero where it is fine."""
        reasons = MINIMUM.refused(values)
        if not reasons.any():
            reasons[:, 1:][~(np.diff(values, axis=1) > 0.0)] = Reason.NOT_ASCENDING
            reasons[:, 0][values[:, 0] != 0.0] = Reason.INCONSISTENT
        return reasons


BOUND_MEANS = {
    Reason.NOT_ASCENDING: "the bounds of a table must ascend",
    Reason.INCONSISTENT: "the first bound of a table must be 0",
}


def tiered(notional: Any, bound: Any, rate: Any, table: Any = 0) -> Array:
    """Margin of notional amounts whose slices have rates of their own: the larger the position, the higher the
    marginal rate.

    Within 1e-15 of itself.

    Args:
        notional: amounts in the tables' currency, shape (n,) or a number; the sign does not matter.
        bound: where each slice begins, shape (tiers,) or (tables, tiers), from 0 and ascending.
        rate: of each slice, 0 to 1, the same shape.
        table: which table an amount takes, integers of the amounts' shape or one for all.

    Returns:
        float64, the amounts' shape.

    Raises:
        ArgumentError: an element was refused.
        ShapeError: an array has another shape.
        TypeError: an argument is not numeric or has another dtype.
    """
    amounts = array("notional", notional, (0, 1))
    bounds = array("bound", bound, (1, 2))
    rates = of_shape("rate", rate, bounds.shape, "the bounds")
    at_least("bound", bounds.shape[-1], 1, "at least one tier is needed")
    if not bounds.size:
        raise ShapeError(f"bound has shape {bounds.shape}: at least one table is needed")
    tables = 1 if bounds.ndim == 1 else len(bounds)
    chosen = of_shape("table", table, amounts.shape, "the amounts", np.int64)
    grid, parts = bounds.reshape(tables, -1), rates.reshape(tables, -1)
    margin = np.empty(amounts.shape)
    arguments = [
        Argument("count", amounts.size),
        Argument("notional", amounts, AMOUNT),
        Argument("table", chosen, Interval(0, tables - 1, f"it must be the index of a table, from 0 to {tables - 1}")),
        Argument("tables", tables),
        Argument("tiers", grid.shape[1]),
        Argument("bound", grid, AscendingFromZero(), BOUND_MEANS),
        Argument("rate", parts, UNIT),
    ]
    flat = margin.reshape(-1)
    twin = lambda: reference.tiered(amounts.reshape(-1), chosen.reshape(-1), grid, parts)  # noqa: E731
    run("xr_margin_tiered", arguments, [flat], 0, twin)
    return margin
