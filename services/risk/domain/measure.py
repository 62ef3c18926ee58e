"""Value at risk: how scenarios come about and count, and what follows from the profits in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import attribution, var, volatility_filter
from crossrate.kernel.attribution import Contributions
from crossrate.kernel.faults import ArgumentError, Reason
from crossrate.kernel.revalue import Scenarios
from services.risk.domain import allocation
from services.risk.domain.book import Book
from services.risk.domain.rates import Rates, pair_moves
from services.risk.domain.refusal import Refused

Array = NDArray[np.float64]

WORST_MAX = 10
DECAY = {"AGE_WEIGHTED": 0.98, "VOLATILITY_FILTERED": 0.94}


class Method(Enum):
    """How scenarios count, or what stands in for them; the names are those of the contract's VarMethod."""

    PLAIN = "PLAIN"
    AGE_WEIGHTED = "AGE_WEIGHTED"
    VOLATILITY_FILTERED = "VOLATILITY_FILTERED"
    DELTA_NORMAL = "DELTA_NORMAL"
    DELTA_GAMMA = "DELTA_GAMMA"

    def decay(self, given: float | None) -> float | None:
        """The decay to use: the given one, or the customary one; None if the method has none."""
        return given if given is not None else DECAY.get(self.value)


class Source(Enum):
    """Where moves come from; the names are those of the contract's field."""

    HISTORICAL = "historical"
    GIVEN = "given"
    SIMULATED = "simulated"
    COVARIANCE = "covariance"


METHODS: dict[Source, tuple[Method, ...]] = {
    Source.HISTORICAL: (Method.PLAIN, Method.AGE_WEIGHTED, Method.VOLATILITY_FILTERED),
    Source.GIVEN: (Method.PLAIN, Method.AGE_WEIGHTED),
    Source.SIMULATED: (Method.PLAIN,),
    Source.COVARIANCE: (Method.DELTA_NORMAL, Method.DELTA_GAMMA),
}
"""What goes with what."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be told of the profits.

    Attributes:
        method: how scenarios count.
        decay: of the weights or the variance; None for the customary one.
        confidence: fractions.
        components: whether each market's part of the measures is wanted.
        window: scenarios on each side of the quantile over which components are taken.
        profits: whether the profit in every scenario is wanted.
    """

    method: Method
    decay: float | None
    confidence: tuple[float, ...]
    components: bool
    window: int = 0
    profits: bool = False

    def check(self, source: Source, scenarios: int) -> None:
        """Refuses what does not go together, before anything is calculated.

        Raises:
            Refused: the scenarios are too few for a confidence, or the method does not take something.
        """
        allowed = METHODS[source]
        if self.method not in allowed:
            names = " or ".join(f"VAR_METHOD_{each.name}" for each in allowed)
            raise Refused("method", f"is VAR_METHOD_{self.method.name}: {source.value} goes with {names}")
        if self.decay is not None and self.method.value not in DECAY:
            where = (
                f"; that of a covariance stands in {source.value}"
                if source.value in ("simulated", "covariance")
                else ""
            )
            raise Refused("decay", f"has no meaning with VAR_METHOD_{self.method.name}: leave it out{where}")
        if self.window and not self.components:
            raise Refused("component_window", "has a meaning with include_components alone: leave it out")
        if self.window and (self.method is Method.AGE_WEIGHTED or source is Source.COVARIANCE):
            words = "is of scenarios that count all the same: leave it out, or choose another method"
            raise Refused("component_window", words)
        if source is Source.COVARIANCE:
            if self.profits:
                raise Refused("include_profits", "there are no scenarios: leave it out, or simulate")
            return
        if self.window > scenarios:
            raise Refused("component_window", f"is {self.window}; there are {scenarios} scenarios")
        for i, level in enumerate(self.confidence):
            enough(level, scenarios, f"confidence[{i}]")

    def weight(self, scenarios: int) -> Array | None:
        """Of each scenario; None if they count all the same."""
        decay = self.method.decay(self.decay)
        return var.age_weight(scenarios, decay) if self.method is Method.AGE_WEIGHTED and decay is not None else None


def enough(level: float, scenarios: int, field: str) -> None:
    """Refuses a confidence for which there are too few scenarios: a share of less than one beyond the quantile would
    be the worst scenario under another name.

    Raises:
        Refused: there are too few.
    """
    needed = int(np.ceil(1.0 / (1.0 - level) - 1e-6))
    if scenarios < needed:
        raise Refused(field, f"is {level}: it needs at least {needed} scenarios, there are {scenarios}")


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The measures at one confidence.

    Attributes:
        confidence: the fraction.
        value_at_risk, expected_shortfall: losses positive.
        expected_shortfall_error: None where nothing says.
        value_at_risk_error: None where nothing says.
        interval: order statistics that enclose the true value at risk; None where nothing says.
        candidate_var, candidate_es: what each list of candidates adds.
        components: what each market adds; None if not wanted, as the following.
        marginal_var, marginal_es: derivatives to a unit of spot of each pair.
    """

    confidence: float
    value_at_risk: float
    expected_shortfall: float
    expected_shortfall_error: float | None
    value_at_risk_error: float | None
    interval: tuple[float, float] | None
    candidate_var: Array
    candidate_es: Array
    components: Contributions | None = None
    marginal_var: Array | None = None
    marginal_es: Array | None = None

    def with_contributions(self, components: Contributions, marginal_var: Array, marginal_es: Array) -> Measured:
        """The same with what each market adds."""
        return replace(self, components=components, marginal_var=marginal_var, marginal_es=marginal_es)


def historical(book: Book, rates: Rates, wanted: Wanted) -> Scenarios:
    """The moves of the past as scenarios of a book, one for each day but the first, oldest first.

    With VOLATILITY_FILTERED each currency's returns against the euro are scaled by its volatility of now over that of
    the day (Hull and White 1998), with exponentially weighted variances; a currency that never moved stays where it is.

    Raises:
        Refused: the decay is so small that the variance of a currency that stood still for a while vanished.
    """
    returns = rates.returns()
    if wanted.method is Method.VOLATILITY_FILTERED:
        decay = wanted.method.decay(wanted.decay)
        assert decay is not None
        returns = filtered(returns, decay, rates.currencies, "decay")
    spot, conversion = pair_moves(book.pairs, book.reporting, rates.currencies, returns)
    return Scenarios(spot_return=spot, conversion_return=conversion)


def filtered(returns: Array, decay: float, currencies: tuple[str, ...], field: str) -> Array:
    """Returns against the euro at the volatility after the last of them; `field` is that of the decay.

    Raises:
        Refused: as `historical`.
    """
    found = returns.copy()
    moving = np.flatnonzero(np.any(returns != 0.0, axis=1))
    try:
        variances = volatility_filter.variance(returns[moving], volatility_filter.exponential(decay))
        found[moving] = volatility_filter.scale(returns[moving], variances)
    except ArgumentError as error:
        still = currencies[moving[error.index[0]]] if isinstance(error.index, tuple) else "a currency"
        words = f"is too small: {still} stood still for so long that its variance vanished; take one nearer to 1"
        raise Refused(field, words) from None
    return found


def measured(profit: Array, candidates: Array, wanted: Wanted, *, paired: bool = False) -> list[Measured]:
    """The measures of profits at each confidence, without contributions.

    Args:
        profit: shape (scenarios,), losses negative, oldest first.
        candidates: profits of each list of candidates alone, shape (lists, scenarios).
        wanted: what is to be told.
        paired: whether scenarios come in antithetic pairs: then errors count how the two go together, and order
            statistics, which are those of independent scenarios, are not told.
    """
    levels, weight = np.array(wanted.confidence), wanted.weight(len(profit))
    found = var.measure(profit, levels, weight=weight)
    value, shortfall, errors = found.value_at_risk, found.expected_shortfall, found.expected_shortfall_error
    more_var = more_es = np.zeros((0, len(levels)))
    if len(candidates):
        more = var.measure(profit + candidates, levels, weight=weight)
        more_var, more_es = more.value_at_risk - value, more.expected_shortfall - shortfall
    told = []
    for i, level in enumerate(wanted.confidence):
        around = _interval(profit, level) if weight is None else None
        excess = np.maximum(-profit - value[i], 0.0)
        to_var, to_es = (_together(np.sign(excess)), _together(excess)) if paired else (1.0, 1.0)
        told.append(
            Measured(
                level,
                float(value[i]),
                float(shortfall[i]),
                None if errors is None else float(errors[i]) * to_es,
                None if around is None else float(around.error) * to_var,
                None if around is None or paired else (float(around.lower), float(around.upper)),
                more_var[:, i],
                more_es[:, i],
            )
        )
    return told


def _together(values: Array) -> float:
    """What pairs make of the standard error of a mean of independent values: √(1 + ρ), with their correlation ρ.

    Pairs of opposite moves lose together where a loss is an even function of the moves (a straddle): there they make
    the error larger.
    """
    apart = values.reshape(-1, 2) - values.mean()
    spread = float((apart * apart).sum())
    return float(np.sqrt(max(1.0 + 2.0 * float((apart[:, 0] * apart[:, 1]).sum()) / spread, 0.0))) if spread else 1.0


def contributed(found: Measured, profit: Array, parts: Array, units: Array, wanted: Wanted) -> Measured:
    """The measures at one confidence with what each market adds.

    Args:
        found: the measures.
        profit: of the book, shape (scenarios,).
        parts: of each market, shape (markets, scenarios).
        units: profit of a unit of the reporting currency in each pair's spot, of the same shape.
        wanted: how scenarios count.
    """
    weight = wanted.weight(len(profit))
    # The units stand beside a rest that makes the book's own profit of all rows, so that the same scenarios count.
    beside = np.concatenate([units, (profit - units.sum(axis=0))[np.newaxis]])
    if weight is None:
        own, unit = (attribution.historical(each, found.confidence, window=wanted.window) for each in (parts, beside))
    else:
        own, unit = (allocation.weighted(each, weight, found.confidence) for each in (parts, beside))
    return found.with_contributions(own, unit.component_var[:-1], unit.component_es[:-1])


def unit_profits(scenarios: Scenarios) -> Array:
    """What one unit of the reporting currency in each pair's spot makes, shape (markets, scenarios)."""
    made = np.expm1(scenarios.spot_return)
    if scenarios.conversion_return is not None:
        made *= np.exp(scenarios.conversion_return)
    return made


def worst(profit: Array) -> tuple[Array, NDArray[np.int64]]:
    """Up to WORST_MAX of the largest losses, worst first, and their scenarios."""
    return var.worst(profit, min(WORST_MAX, len(profit)))


def _interval(profit: Array, level: float) -> var.QuantileInterval | None:
    try:
        return var.interval(profit, level)
    except ArgumentError as error:
        if error.reason is not Reason.TOO_FEW:
            raise
        return None
