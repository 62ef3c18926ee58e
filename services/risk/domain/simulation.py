"""Moves of currencies that are drawn: Monte Carlo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import random
from crossrate.kernel.revalue import Scenarios
from services.risk.domain.book import Book
from services.risk.domain.covariance import Covariance
from services.risk.domain.rates import pair_moves
from services.risk.domain.refusal import Refused

Array = NDArray[np.float64]

CELLS_MAX = 4_000_000
"""Markets times scenarios of one simulation: 64 MB of moves."""


@dataclass(frozen=True, slots=True)
class Draws:
    """What is drawn; `field` is the path of the message in the request that says so."""

    count: int
    seed: int
    antithetic: bool
    field: str

    def check(self, markets: int) -> None:
        """Refuses what cannot be drawn.

        Raises:
            Refused: an odd number of pairs' halves, or more than memory is meant for.
        """
        if self.antithetic and self.count % 2:
            raise Refused(
                f"{self.field}.count", f"is {self.count}: antithetic scenarios come in pairs, take an even one"
            )
        if self.count * markets > CELLS_MAX:
            words = f"is {self.count}: with {markets} markets at most {CELLS_MAX // markets} can be drawn"
            raise Refused(f"{self.field}.count", words)

    def normals(self, currencies: int) -> Array:
        """Independent standard normals, shape (currencies, count): a function of seed, row and column alone.

        Antithetic ones stand side by side: column 2p + 1 is the opposite of column 2p.
        """
        if not self.antithetic:
            return random.normals(self.count, currencies, seed=self.seed)
        half = random.normals(self.count // 2, currencies, seed=self.seed)
        return np.stack([half, -half], axis=2).reshape(currencies, self.count)


def moves(covariance: Covariance, normals: Array) -> Array:
    """Moves with a covariance, shape (currencies, count).

    Sums are taken row by row in one order, so that they are the same bits on machines with other linear algebra.
    """
    factor = covariance.factor()
    found = np.zeros_like(normals)
    for i in range(len(factor)):
        for j in range(i + 1):
            if factor[i, j]:
                found[i] += factor[i, j] * normals[j]
    return found


def simulated(book: Book, covariance: Covariance, normals: Array) -> Scenarios:
    """Moves as scenarios of a book."""
    spot, conversion = pair_moves(book.pairs, book.reporting, covariance.names, moves(covariance, normals))
    return Scenarios(spot_return=spot, conversion_return=conversion)
