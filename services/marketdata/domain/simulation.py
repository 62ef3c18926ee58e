"""A reproducible market: currencies that diffuse and jump together against a numeraire, by the hours of the day.

Every currency's rate X(i) against the numeraire moves as

    d ln X(i) = μ(i) dt + σ(i) Σ F(i, f) √v(f) dW(f) + σ(i) Σ J(k, i) g dN(k),

with independent Brownian motions W, standard normals g, news N(k) of intensity λ(k) v(k), and F Fᵀ = D: jumps J, λ and
what is left for the diffusion, D, are those of `jumps`. v is the variance of the hour in the region of a factor or of
what news is about. It has a mean of 1 over a day, and every factor has its own, so that a day has the covariance and
the excess kurtosis of the calibration exactly, whatever the hours; currencies that belong together share their factors,
and do not drift apart at any hour. μ makes each X(i) a martingale:

    μ(i) = −½ σ(i)² Σ F(i, f)² v(f) − Σ λ(k) v(k) (exp(½ σ(i)² J(k, i)²) − 1).

The price of a pair is X(counter) / X(base), so every triangle of mids multiplies to one by construction.

Step n of a path draws from Philox keyed by the seed and counting from n, so any step can be computed without those
before it: the same seed, times and settings give the same path, whichever instance computes them. A step may have
several parts of equal length, for quotes that come within it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.marketdata.domain import jumps
from services.marketdata.domain.calibration import SECONDS_PER_DAY, Calibration
from services.marketdata.domain.liquidity import liquidity_class
from services.marketdata.domain.seasonality import FLAT, Moment, region

Floats = NDArray[np.float64]

ELAPSED_S_MAX = 60.0
"""A longer pause moves the market as this one does: a laptop that slept for a night does not wake to a crash."""


@dataclass(frozen=True, slots=True)
class MarketState:
    """Where the market stands: steps taken, and log rates against the numeraire in the order of the calibration."""

    step: int
    log_rates: Floats


_ANCHORS = ("USD", "JPY", "GBP")
"""Of a class of liquidity, whose factors come first: others are linked to them rather than they to others."""


class Market:
    """The law by which states follow one another; holds no state itself."""

    def __init__(self, calibration: Calibration, seed: int) -> None:
        self.calibration = calibration
        self.jumps = fitted = jumps.fit(calibration.correlation, calibration.excess_kurtosis)
        self._seed = seed
        self._volatility = calibration.daily_volatility
        codes = calibration.currencies
        # The first factor is the most liquid currency's, the next what the second has of its own, and so on.
        order = sorted(
            range(len(codes)), key=lambda i: (-liquidity_class(codes[i]).weight, codes[i] not in _ANCHORS, i)
        )
        self._factor = np.zeros_like(calibration.correlation)
        self._factor[order] = np.linalg.cholesky(fitted.diffusion[np.ix_(order, order)])
        self._factor *= self._volatility[:, None]
        regions = np.array([region(code) for code in codes], dtype=np.intp)
        self._factor_region, self._jump_region = regions[order], regions[fitted.about]
        self._loading = fitted.loading * self._volatility
        self._column = {code: i for i, code in enumerate(codes)} | {calibration.numeraire: len(codes)}
        self._rates: tuple[tuple[Moment | None, float], _Rates] = ((None, 0.0), _Rates.none())

    def start(self) -> MarketState:
        """The newest reference rates."""
        return MarketState(0, np.log(self.calibration.rates))

    def path(
        self,
        state: MarketState,
        elapsed_s: float,
        parts: int = 1,
        volatility_multiplier: float = 1.0,
        moment: Moment = FLAT,
    ) -> tuple[MarketState, Floats]:
        """The next step: the state after some time, at most ELAPSED_S_MAX of it, and the way there.

        Args:
            elapsed_s: the step's length; without any the market does not move and no step is taken.
            parts: how many parts of equal length it has.
            volatility_multiplier: multiplies the size of every move.
            moment: the hour.

        Returns:
            The state at the end, and the log rates at the end of each part with the numeraire's 0 as the last column,
            shape (parts, n + 1).
        """
        logs = np.zeros((parts, len(self._volatility) + 1))
        if elapsed_s <= 0.0:
            logs[:, :-1] = state.log_rates
            return state, logs
        number = state.step + 1
        # The counter's upper words hold the step, so that the draws of one step never reach those of the next.
        draws = np.random.Generator(np.random.Philox(key=self._seed, counter=[0, 0, number, 0]))
        days = min(elapsed_s, ELAPSED_S_MAX) / SECONDS_PER_DAY
        moves = self.moves(draws, days, parts, volatility_multiplier, moment)
        np.cumsum(moves, axis=0, out=moves)
        logs[:, :-1] = state.log_rates + moves
        return MarketState(number, logs[-1, :-1].copy()), logs

    def moves(
        self, draws: np.random.Generator, days: float, parts: int, volatility_multiplier: float, moment: Moment
    ) -> Floats:
        """Moves of the log rates in each of some parts of equal length, `days` long together; shape (parts, n)."""
        rates = self._at(moment, volatility_multiplier)
        part = days / parts
        normals = draws.standard_normal((parts, len(self._volatility)))
        moves = normals @ (rates.factor.T * math.sqrt(part))
        moves += rates.drift * part
        count = int(draws.poisson(rates.news_per_day * days))
        if count:
            kinds = draws.choice(len(rates.share), count, p=rates.share)
            when = draws.integers(parts, size=count)
            sizes = draws.standard_normal(count)[:, None] * self._loading[kinds] * volatility_multiplier
            np.add.at(moves, when, sizes)
        return moves

    def _at(self, moment: Moment, multiplier: float) -> _Rates:
        """What holds in a moment; kept, for a minute has many steps."""
        if self._rates[0][0] is not moment or self._rates[0][1] != multiplier:
            by_factor, by_news = moment.variance[self._factor_region], moment.variance[self._jump_region]
            factor = self._factor * np.sqrt(by_factor) * multiplier
            per_day = self.jumps.per_day * by_news
            total = float(per_day.sum())
            drift = -0.5 * (factor**2).sum(axis=1)
            drift -= per_day @ np.expm1(0.5 * (multiplier * self._loading) ** 2)
            share = per_day / total if total > 0.0 else per_day
            self._rates = ((moment, multiplier), _Rates(factor, drift, total, share))
        return self._rates[1]

    def trades(self, base: str, counter: str) -> bool:
        """Whether both currencies are part of the market."""
        return base in self._column and counter in self._column and base != counter

    def column(self, currency: str) -> int:
        """Column of a currency in what `path` returns.

        Raises:
            KeyError: the currency is not part of the market.
        """
        return self._column[currency]

    def mid(self, state: MarketState, base: str, counter: str) -> float:
        """Units of the counter currency per unit of the base currency."""
        logs = np.append(state.log_rates, 0.0)
        return math.exp(logs[self.column(counter)] - logs[self.column(base)])


@dataclass(frozen=True, slots=True, eq=False)
class _Rates:
    """Per day: the scaled factor (n, n), the drift (n,), how much news there is, and of which kind it is (k,)."""

    factor: Floats
    drift: Floats
    news_per_day: float
    share: Floats

    @classmethod
    def none(cls) -> _Rates:
        return cls(np.zeros((0, 0)), np.zeros(0), 0.0, np.zeros(0))
