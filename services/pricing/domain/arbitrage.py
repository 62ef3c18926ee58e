"""Whether a surface can be traded against: butterflies within an expiry, calendar spreads between neighbours."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crossrate.basics.pair import Pair
from crossrate.kernel import arbitrage, vanilla
from services.pricing.domain.market import Standing
from services.pricing.domain.smile import QuotedSmile
from services.pricing.domain.surface import Smile

Array = NDArray[np.float64]

GRID_POINTS = 401
"""Strikes at which a smile is looked at, evenly in log-moneyness."""
CHECKED_DEVIATIONS = 3.0
"""How far from the forward a smile from quotes is looked at, in deviations at the money: about 0.1 delta."""
FUNCTION_MIN, PROBABILITY_MIN, VARIANCE_SHARE_MIN = -1e-6, -1e-12, -1e-9
"""Below these it is no rounding: Durrleman's function; probabilities; steps of total variance, as a share of it."""


class Kind(enum.Enum):
    """Which way a surface can be traded against."""

    BUTTERFLY = 1
    CALENDAR = 2


@dataclass(frozen=True, slots=True)
class Arbitrage:
    """The worst place of an expiry; `size` is below zero, in the unit that the contract says for its kind."""

    kind: Kind
    pair: Pair
    field: str
    time: float
    strike: float
    size: float

    @property
    def words(self) -> str:
        """What is wrong, in words."""
        if self.kind is Kind.BUTTERFLY:
            where = f"at {self.strike:.8g}, {self.time:.6g} years"
            return f"a butterfly around {where} costs less than nothing ({self.size:.3g}): see allow_arbitrage"
        return (
            f"total variance falls by {-self.size:.3g} from the expiry before, at {self.strike:.8g}, {self.time:.6g} "
            "years: a calendar spread costs less than nothing, see allow_arbitrage"
        )


def violations(standing: Standing, paths: Sequence[str]) -> list[Arbitrage]:
    """The worst place of each expiry and kind in a pair's surface; `paths` are those of its expiries in the request.

    Butterflies of pillars: the premiums of calls at the pillars' strikes must fall and be convex (Carr and Madan 2005,
    "A note on sufficient conditions for no arbitrage"); what lies between pillars is interpolated and not looked at.
    Butterflies of quotes: Durrleman's function within `CHECKED_DEVIATIONS`. Calendar spreads: total variance at equal
    moneyness must not fall from an expiry to the next, between the later one's outermost strikes.
    """
    smiles = standing.surface.smiles
    own = standing.forwards(np.array([each.time for each in smiles]))
    fields = [each.points.field if isinstance(each, QuotedSmile) else paths[i] for i, each in enumerate(smiles)]
    found = []
    for smile, forward, field in zip(smiles, own.tolist(), fields, strict=True):
        worst = _quoted(smile) if isinstance(smile, QuotedSmile) else _pillars(smile, forward)
        if worst is not None:
            found.append(Arbitrage(Kind.BUTTERFLY, standing.pair, field, smile.time, *worst))
    for i, (one, other) in enumerate(pairwise(smiles)):
        worst = _calendar(one, other, float(own[i]), float(own[i + 1]))
        if worst is not None:
            found.append(Arbitrage(Kind.CALENDAR, standing.pair, fields[i + 1], other.time, *worst))
    return found


Worst = tuple[float, float] | None
"""A strike and how far it is below zero there."""


def _quoted(smile: QuotedSmile) -> Worst:
    points = smile.points
    if len(points.strikes) == 1:
        return None
    span = CHECKED_DEVIATIONS * points.deviation
    # Where a smile is held flat it has a kink, at which nothing can be said.
    low, high = max(-span, np.log(smile.low / points.forward)), min(span, np.log(smile.high / points.forward))
    moneyness = np.linspace(low, high, GRID_POINTS)[1:-1]
    volatility = smile.volatility(moneyness, points.forward)
    strikes = points.forward * np.exp(moneyness)
    checked = arbitrage.butterfly(points.forward, points.time, strikes[None, :], volatility[None, :])
    worst = float(checked.worst[0])
    return (float(checked.worst_strike[0]), worst) if worst < FUNCTION_MIN else None


def _pillars(smile: Smile, forward: float) -> Worst:
    none = np.zeros(len(smile.strikes))
    price = vanilla.price(
        np.ones(len(none), np.int8), none + forward, smile.strikes, none + smile.time, smile.volatilities, none, none
    )
    # A call at zero is the forward; far out it is worth nothing, with no slope.
    strikes = np.append(0.0, smile.strikes)
    slopes = np.append(np.diff(np.append(forward, price)) / np.diff(strikes), 0.0)
    steps = np.append(slopes[0] + 1.0, np.diff(slopes))
    worst = int(steps.argmin())
    return (
        (float(strikes[worst]) or float(smile.strikes[0]), float(steps[worst]))
        if steps[worst] < PROBABILITY_MIN
        else None
    )


def _calendar(one: Smile | QuotedSmile, other: Smile | QuotedSmile, own: float, later: float) -> Worst:
    ends = [_knots(each, forward) for each, forward in ((one, own), (other, later))]
    moneyness = np.linspace(ends[1].min(), ends[1].max(), GRID_POINTS) if len(ends[1]) > 1 else ends[1]
    moneyness = np.unique(np.concatenate([moneyness, ends[1], ends[0]]))
    variances = [each.volatility(moneyness, f) ** 2 * each.time for each, f in ((one, own), (other, later))]
    checked = arbitrage.calendar([one.time, other.time], np.stack(variances))
    worst, point = float(checked.worst[0]), int(checked.worst_point[0])
    if worst >= VARIANCE_SHARE_MIN * float(variances[0][point]):
        return None
    return later * float(np.exp(moneyness[point])), worst


def _knots(smile: Smile | QuotedSmile, forward: float) -> Array:
    return np.log((smile.points.strikes if isinstance(smile, QuotedSmile) else smile.strikes) / forward)
