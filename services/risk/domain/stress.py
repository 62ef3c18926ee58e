"""Stress scenarios and grids of moves, as scenarios of a book."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from crossrate.basics import scenarios as past
from crossrate.basics.currency import CURRENCIES
from crossrate.basics.pair import Pair
from crossrate.kernel.revalue import Scenarios
from services.risk.domain.book import Book
from services.risk.domain.rates import NUMERAIRE, Series, pair_moves
from services.risk.domain.refusal import Refused

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stress:
    """A scenario of currencies' moves.

    Attributes:
        name: what it is called.
        moves: relative change of one unit's worth in euro, by currency.
        missing: currencies of the book whose move is not known.
        volatility_shift: added to all volatilities.
        start, end: for a crisis of the past the days before and after.
    """

    name: str
    moves: Mapping[str, float]
    missing: tuple[str, ...] = ()
    volatility_shift: float = 0.0
    start: date | None = None
    end: date | None = None


def named(names: Sequence[str]) -> list[past.Scenario]:
    """The crises of these names.

    Raises:
        Refused: there is none of a name.
    """
    found = []
    for i, name in enumerate(names):
        try:
            found.append(past.scenario(name))
        except KeyError as error:
            raise Refused(f"scenarios[{i}]", str(error.args[0])) from None
    return found


def of_the_past(scenario: past.Scenario, series: Mapping[str, Series]) -> Stress:
    """What a crisis did to currencies, from their series."""
    before = {code: each.on(scenario.start) for code, each in series.items()}
    after = {code: each.on(scenario.end) for code, each in series.items()}
    shocks = past.shocks(before, after)
    return Stress(scenario.name, shocks.moves, shocks.missing, start=scenario.start, end=scenario.end)


def shock(name: str, moves: Iterable[tuple[str, float]], volatility_shift: float, field: str) -> Stress:
    """A scenario of the caller: moves by currency, what is not named stays.

    Raises:
        Refused: a currency is unknown, comes twice or is the euro; `field` is the path of the shock.
    """
    found: dict[str, float] = {}
    for i, (code, move) in enumerate(moves):
        if code == NUMERAIRE:
            words = f"{NUMERAIRE} cannot move against itself: move all others by the opposite"
            raise Refused(f"{field}.moves[{i}].currency", words)
        if code not in CURRENCIES:
            raise Refused(f"{field}.moves[{i}].currency", f"{code} is none of the platform's currencies")
        if code in found:
            raise Refused(f"{field}.moves[{i}].currency", f"{code} is there before: give each currency once")
        found[code] = move
    return Stress(name, found, volatility_shift=volatility_shift)


def as_scenarios(book: Book, stresses: Sequence[Stress]) -> Scenarios:
    """Stress scenarios, none of which lacks a currency's move, as scenarios of the book."""
    codes = sorted(book.currencies())
    fallen = np.array([[-math.log1p(each.moves.get(code, 0.0)) for each in stresses] for code in codes])
    spot, conversion = pair_moves(book.pairs, book.reporting, codes, fallen)
    shifts = np.array([each.volatility_shift for each in stresses])
    volatility = np.tile(shifts, (len(book.pairs), 1)) if shifts.any() else None
    return Scenarios(spot_return=spot, volatility_shift=volatility, conversion_return=conversion)


def grid(book: Book, spot_move: Array, volatility_move: Array, pair: Pair | None) -> Scenarios:
    """All moves of volatility at the first move of spot, then at the next, and so on.

    Args:
        book: the book.
        spot_move: relative, shape (m,).
        volatility_move: absolute, shape (n,).
        pair: the one that moves; None for all.

    Returns:
        Scenarios of shape (markets, m · n); conversions stay.

    Raises:
        Refused: the pair is none of the book's.
    """
    if pair is not None and pair not in book.pairs:
        raise Refused("instrument", f"{pair} is none of the book's pairs: give one of them, or none for all")
    moves = np.array([pair is None or each == pair for each in book.pairs], np.float64)[:, np.newaxis]
    spot = np.repeat(np.log1p(spot_move), len(volatility_move))
    volatility = np.tile(volatility_move, len(spot_move))
    return Scenarios(spot_return=moves * spot, volatility_shift=moves * volatility)
