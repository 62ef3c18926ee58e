"""A reproducible market: correlated geometric Brownian motion of currencies against a numeraire.

Every currency's rate X(i) against the numeraire moves as

    ln X(i, t + dt) = ln X(i, t) − ½ σ(i)² dt + σ(i) √dt z(i),        z = L g,  L Lᵀ = correlation,  g standard normal,

which is exact for any dt and leaves each X(i) a martingale. The price of a pair is X(counter) / X(base), so every
triangle of mids multiplies to one by construction.

Step n of a path draws its normals from Philox keyed by the seed and counting from n: any step can be computed without
those before it, so the same seed and the same times give the same path, whichever instance computes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.marketdata.domain.calibration import Calibration

ELAPSED_S_MAX = 60.0
"""A longer pause moves the market as this one does: a laptop that slept for a night does not wake to a crash."""


@dataclass(frozen=True, slots=True)
class MarketState:
    """Where the market stands: steps taken, and log rates against the numeraire in the order of the calibration."""

    step: int
    log_rates: NDArray[np.float64]


class Market:
    """The law by which states follow one another; holds no state itself."""

    def __init__(self, calibration: Calibration, seed: int) -> None:
        self.calibration = calibration
        self._seed = seed
        self._volatility = calibration.volatility_per_sqrt_second
        self._factor = self._volatility[:, None] * calibration.cholesky
        self._column = {code: i for i, code in enumerate(calibration.currencies)}

    def start(self) -> MarketState:
        """The newest reference rates."""
        return MarketState(0, np.log(self.calibration.rates))

    def step(self, state: MarketState, elapsed_s: float, volatility_multiplier: float = 1.0) -> MarketState:
        """The state after some time, at most ELAPSED_S_MAX of it; the same state if no time has passed."""
        if elapsed_s <= 0.0:
            return state
        seconds = min(elapsed_s, ELAPSED_S_MAX) * volatility_multiplier**2
        number = state.step + 1
        # The counter's upper words hold the step, so that the draws of one step never reach those of the next.
        bits = np.random.Philox(key=self._seed, counter=[0, 0, number, 0])
        normals = np.random.Generator(bits).standard_normal(len(self._volatility))
        moves = self._factor @ normals * math.sqrt(seconds) - 0.5 * self._volatility**2 * seconds
        return MarketState(number, state.log_rates + moves)

    def trades(self, base: str, counter: str) -> bool:
        """Whether both currencies are part of the market."""
        numeraire = self.calibration.numeraire
        return all(c == numeraire or c in self._column for c in (base, counter)) and base != counter

    def log_rate(self, state: MarketState, currency: str) -> float:
        """Log of the units of a currency per unit of the numeraire; 0 for the numeraire.

        Raises:
            KeyError: the currency is not part of the market.
        """
        if currency == self.calibration.numeraire:
            return 0.0
        return float(state.log_rates[self._column[currency]])

    def rate(self, state: MarketState, currency: str) -> float:
        """Units of a currency per unit of the numeraire."""
        return math.exp(self.log_rate(state, currency))

    def mid(self, state: MarketState, base: str, counter: str) -> float:
        """Units of the counter currency per unit of the base currency."""
        return math.exp(self.log_rate(state, counter) - self.log_rate(state, base))
