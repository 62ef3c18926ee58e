"""Stress ladders: what a book makes on a grid of moves of spot and volatility."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import AMOUNT, Interval
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError
from crossrate.kernel.tables import array

Array = NDArray[np.float64]

SPOT_MOVE = Interval(-0.99, 1e6, "it must be a relative move of spot above -0.99 (-0.1 is ten percent down)")
VOLATILITY_MOVE = Interval(-100.0, 100.0, "it must be an absolute move of volatility (0.01 is one point)")


@dataclass(frozen=True)
class Ladder:
    """P&L on a grid.

    Attributes:
        spot_move: relative, shape (m,).
        volatility_move: absolute, shape (n,).
        pnl: value at the moved market less value at the present one, shape (m, n).
        value: at the present market.
    """

    spot_move: Array
    volatility_move: Array
    pnl: Array
    value: float

    def worst(self) -> tuple[float, float, float]:
        """The lowest P&L, and its moves of spot and volatility; of equal ones the first in the grid's order."""
        row, column = np.unravel_index(int(np.argmin(self.pnl)), self.pnl.shape)
        return float(self.pnl[row, column]), float(self.spot_move[row]), float(self.volatility_move[column])


def ladder(value: Callable[[Array, Array], Any], spot_move: Any, volatility_move: Any = 0.0) -> Ladder:
    """Revalues a book on a grid of moves, in one call.

    Profits are differences of the book's values, rounded once.

    Args:
        value: takes the factors that spots are multiplied by and what is added to volatilities, two float64 arrays of
            shape (k,), and gives the book's values, shape (k,), in one currency. The present market (1 and 0) is their
            first.
        spot_move: relative moves, a number or shape (m,), above -0.99.
        volatility_move: absolute moves, a number or shape (n,).

    Raises:
        ArgumentError: a move was refused, or `value` gave a number that is not finite; then the error tells its moves.
        ShapeError: `value` gave another shape, or an argument has more than one dimension.
        TypeError: an argument is not numeric or has another dtype.
    """
    spot = _moves("spot_move", spot_move, SPOT_MOVE)
    volatility = _moves("volatility_move", volatility_move, VOLATILITY_MOVE)
    factors = np.append(1.0, np.repeat(1.0 + spot, volatility.size))
    added = np.append(0.0, np.tile(volatility, spot.size))
    found = np.asarray(value(factors, added))
    if found.shape != factors.shape:
        raise ShapeError(f"value gave shape {found.shape} for {factors.size} markets: one number for each is needed")
    found = array("value", found, (1,))
    reasons = AMOUNT.refused(found)
    if reasons.any():
        first = int(np.argmax(reasons > 0))
        says = f"the book must have a value where spot is times {factors[first]:g} and volatility plus {added[first]:g}"
        raise ArgumentError("value", first, Reason(int(reasons[first])), found[first].item(), says)
    pnl = (found[1:] - found[0]).reshape(spot.size, volatility.size)
    return Ladder(spot, volatility, pnl, float(found[0]))


def _moves(name: str, value: Any, rule: Interval) -> Array:
    moves = np.atleast_1d(array(name, value, (0, 1)))
    reasons = rule.refused(moves)
    if reasons.any():
        first = int(np.argmax(reasons > 0))
        raise ArgumentError(name, first, Reason(int(reasons[first])), moves[first].item(), rule.says)
    if not moves.size:
        raise ArgumentError(name, None, Reason.TOO_FEW, 0, "at least one move is needed")
    return moves
