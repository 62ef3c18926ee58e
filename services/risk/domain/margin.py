"""Margin of positions that are netted pair by pair: by a grid of scenarios, or by tiers of amounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.basics.pair import Pair
from crossrate.kernel import margin as kernel
from crossrate.kernel.revalue import FORWARD, Markets, Scenarios, profit
from services.risk.domain.book import Book
from services.risk.domain.exposure import sensitivities
from services.risk.domain.refusal import Refused

Array = NDArray[np.float64]

EXTREME_MULTIPLE = 2.0
EXTREME_COVER = 0.35
INITIAL_RATIO = 1.1
"""What exchanges ask of those who are no members: 110 percent of maintenance."""
BEYOND = 1e60
"""Where tiers begin that only fill a table up."""


@dataclass(frozen=True, slots=True)
class Scan:
    """How far a pair is moved: relative to spot, added to volatilities; and the charge for options that are sold."""

    price: float
    volatility: float
    short_minimum: float


@dataclass(frozen=True, slots=True)
class Spread:
    """A credit for two pairs, by their deltas in the reporting currency; `field` is its path in the request."""

    first: Pair
    second: Pair
    first_ratio: float
    second_ratio: float
    credit_rate: float
    same_side: bool
    field: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid in the manner of SPAN.

    Attributes:
        scans: one for all pairs, or one for each.
        extreme_multiple: extreme moves over the price scan range.
        extreme_cover: the part of their losses that counts.
        spreads: in order.
        credit_option_value: whether the worth of options counts against the margin.
    """

    scans: tuple[Scan, ...]
    extreme_multiple: float
    extreme_cover: float
    spreads: tuple[Spread, ...]
    credit_option_value: bool


@dataclass(frozen=True, slots=True)
class Point:
    """A scenario of the grid."""

    index: int
    spot_move: float
    volatility_move: float
    cover: float
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Requirements:
    """Margin of groups of positions, a row each.

    Attributes:
        maintenance: shape (groups,).
        risk, credit, short_minimum, delta: by pair, shape (groups, markets).
        option_value: what was taken from the margin, shape (groups,).
        positions: how many, shape (groups, markets).
        worst: place of the worst scenario in the grid, -1 where none loses, shape (groups, markets).
    """

    maintenance: Array
    risk: Array
    credit: Array
    short_minimum: Array
    delta: Array
    option_value: Array
    positions: NDArray[np.int64]
    worst: NDArray[np.int64]


def points(grid: Grid, scan: Scan) -> list[Point]:
    """The scenarios of a pair, in words too."""
    unit = _unit(grid)
    found = []
    for i, (price, volatility, cover) in enumerate(
        zip(unit.price_move.tolist(), unit.volatility_move.tolist(), unit.cover.tolist(), strict=True)
    ):
        thirds = round(abs(price) * 3)
        way = "up" if price > 0 else "down"
        if i >= 14:
            name = f"spot {way} {grid.extreme_multiple:g} times the range, {grid.extreme_cover:.0%} of the loss"
        else:
            spot = f"spot {way} {thirds}/3" if thirds else "spot unchanged"
            name = f"{spot}, volatility {'up' if volatility > 0 else 'down'}"
        found.append(Point(i, price * scan.price, volatility * scan.volatility, cover, name))
    return found


def scanned(book: Book, markets: Markets, place: NDArray[np.int64], groups: int, grid: Grid) -> Requirements:
    """Margin of groups by the grid: the greatest loss of each pair, less credits, added up; less the worth of options.

    Args:
        book: the book.
        markets: its pairs today.
        place: the group of each position.
        groups: how many.
        grid: the scenarios.

    Raises:
        Refused: a list does not fit the book, or a spread names another pair.
        ArgumentError: the kernel refuses a position or a market.
    """
    width = len(book.pairs)
    scans = _each(grid.scans, width, "scan.scans")
    spreads = [_legs(each, book) for each in grid.spreads]
    unit = _unit(grid)
    price, volatility = (np.array([getattr(each, name) for each in scans]) for name in ("price", "volatility"))
    shifts = Scenarios(np.log1p(np.outer(price, unit.price_move)), np.outer(volatility, unit.volatility_move))
    _, each = profit(book.positions, markets, shifts, contributions=True)
    cell = place * width + book.positions.market
    size = groups * width

    def table(weights: Array | None = None) -> NDArray:
        return np.bincount(cell, weights, size).reshape(groups, width)

    pnl = np.stack([np.bincount(cell, column, size) for column in each.T], axis=1)
    risk = unit.risk_array(pnl).reshape(groups, width, -1)
    delta, _, _, value = sensitivities(book, markets)
    worth = markets.conversion[book.positions.market]
    option = book.positions.kind != FORWARD
    charge = np.array([each.short_minimum for each in scans])[book.positions.market]
    notional = book.positions.notional * worth * markets.spot[book.positions.market]
    minimum = table(np.where(option, np.maximum(-notional, 0.0), 0.0) * charge)
    net_delta = table(delta * worth * markets.spot[book.positions.market])
    credited = table(np.where(option, value * worth, 0.0)) if grid.credit_option_value else np.zeros((groups, width))
    rows = [_required(risk[i], net_delta[i], minimum[i], credited[i], spreads) for i in range(groups)]
    worst = np.where(risk.max(axis=2) > 0.0, risk.argmax(axis=2), -1)
    return Requirements(
        np.array([float(each.requirement) for each in rows]),
        np.stack([each.scanning_risk for each in rows]),
        np.stack([each.spread_credit for each in rows]),
        minimum,
        net_delta,
        credited.sum(axis=1),
        table(),
        worst,
    )


def tiered(
    book: Book, markets: Markets, place: NDArray[np.int64], groups: int, tables: Sequence[Sequence[tuple[float, float]]]
) -> Requirements:
    """Margin of groups by tiers of each pair's net delta in the reporting currency.

    Args:
        book: the book.
        markets: its pairs today.
        place: the group of each position.
        groups: how many.
        tables: bounds and rates, one for all pairs or one for each.

    Raises:
        Refused: the tables do not fit the book, or their bounds do not ascend from 0.
    """
    width = len(book.pairs)
    for i, tiers in enumerate(tables):
        for j, (bound, _) in enumerate(tiers):
            if (bound <= tiers[j - 1][0]) if j else bound:
                words = f"is {bound:g}: bounds begin at 0 and ascend"
                raise Refused(f"tiered.tables[{i}].tiers[{j}].bound", words)
    chosen = _each(tuple(tables), width, "tiered.tables")
    longest = max(len(each) for each in tables)
    bounds, rates = np.empty((width, longest)), np.zeros((width, longest))
    for i, tiers in enumerate(chosen):
        bounds[i] = BEYOND * np.linspace(0.1, 1.0, longest)
        bounds[i, : len(tiers)], rates[i, : len(tiers)] = zip(*tiers, strict=True)
    market = book.positions.market
    delta, *_ = sensitivities(book, markets)
    cell = place * width + market
    net = np.bincount(cell, delta * (markets.spot * markets.conversion)[market], groups * width)
    which = np.tile(np.arange(width), groups)
    risk = kernel.tiered(np.abs(net), bounds, rates, which).reshape(groups, width)
    none = np.zeros((groups, width))
    positions = np.bincount(cell, minlength=groups * width).reshape(groups, width)
    nowhere = np.full((groups, width), -1)
    return Requirements(
        risk.sum(axis=1), risk, none, none, net.reshape(groups, width), np.zeros(groups), positions, nowhere
    )


def _required(
    risk: Array, delta: Array, minimum: Array, option_value: Array, spreads: Sequence[kernel.Spread]
) -> kernel.Requirements:
    """Of one group: each pair is an instrument of one unit, and another that stands for the options that are sold."""
    width = len(risk)
    none = np.zeros(width)
    return kernel.portfolio(
        np.concatenate([np.ones(width), -minimum]),
        np.concatenate([risk, np.zeros_like(risk)]),
        np.tile(np.arange(width), 2),
        np.concatenate([delta, none]),
        spreads=spreads,
        short_minimum=np.concatenate([none, np.ones(width)]),
        option_value=np.concatenate([option_value, none]),
    )


def _unit(grid: Grid) -> kernel.Scenarios:
    return kernel.scenarios(1.0, 1.0, extreme_multiple=grid.extreme_multiple, extreme_cover=grid.extreme_cover)


def _each(given: tuple, width: int, field: str) -> tuple:
    if len(given) not in (1, width):
        raise Refused(field, f"has {len(given)} elements for {width} markets: give 1 or {width}")
    return given * width if len(given) == 1 else given


def _legs(spread: Spread, book: Book) -> kernel.Spread:
    for name, pair in (("first", spread.first), ("second", spread.second)):
        if pair not in book.pairs:
            raise Refused(f"{spread.field}.{name}", f"{pair} is none of the book's pairs")
    if spread.first == spread.second:
        raise Refused(f"{spread.field}.second", f"{spread.second} is the first leg: a spread has two pairs")
    return kernel.Spread(
        book.pairs.index(spread.first),
        book.pairs.index(spread.second),
        spread.first_ratio,
        spread.second_ratio,
        spread.credit_rate,
        spread.same_side,
    )
