"""Value at risk: how scenarios come about and count, and what follows from the profits in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import attribution, volatility_filter
from crossrate.kernel.attribution import Contributions
from crossrate.kernel.faults import ArgumentError
from crossrate.kernel.revalue import Scenarios
from crossrate.kernel.var import Measures, age_weight, measure, worst
from services.risk.domain.book import Book
from services.risk.domain.rates import Rates, pair_moves
from services.risk.domain.refusal import Refused

Array = NDArray[np.float64]

WORST_MAX = 10
DECAY = {"AGE_WEIGHTED": 0.98, "VOLATILITY_FILTERED": 0.94}


class Method(Enum):
    """How scenarios count; the names are those of the contract's VarMethod."""

    PLAIN = "PLAIN"
    AGE_WEIGHTED = "AGE_WEIGHTED"
    VOLATILITY_FILTERED = "VOLATILITY_FILTERED"

    def decay(self, given: float | None) -> float:
        """The decay to use: the given one, or the customary one."""
        return DECAY[self.value] if given is None else given


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be told of the profits.

    Attributes:
        method: how scenarios count.
        decay: of the weights or the variance; None for the customary one.
        confidence: fractions.
        components: whether each market's part of the measures is wanted.
    """

    method: Method
    decay: float | None
    confidence: tuple[float, ...]
    components: bool

    def check(self, scenarios: int, *, historical: bool) -> None:
        """Refuses what does not go together, before anything is calculated.

        Raises:
            Refused: the scenarios are too few for a confidence, or the method does not take something.
        """
        if self.method is Method.PLAIN and self.decay is not None:
            raise Refused("decay", "has no meaning with VAR_METHOD_PLAIN: leave it out, or choose another method")
        if self.method is Method.VOLATILITY_FILTERED and not historical:
            raise Refused("method", "VAR_METHOD_VOLATILITY_FILTERED needs historical scenarios: bring your own there")
        if self.method is Method.AGE_WEIGHTED and self.components:
            raise Refused("include_components", "is not possible with age weights: choose another method")
        for i, level in enumerate(self.confidence):
            # A share of less than one scenario beyond the quantile would be the worst scenario under another name.
            needed = int(np.ceil(1.0 / (1.0 - level) - 1e-6))
            if scenarios < needed:
                words = f"is {level}: it needs at least {needed} scenarios, there are {scenarios}"
                raise Refused(f"confidence[{i}]", words)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """The measures.

    Attributes:
        measures: at all confidences, shape (confidences,).
        components: one a confidence, its rows are the book's markets; empty if they were not wanted.
        worst_loss, worst_index: the worst scenarios, worst first.
    """

    measures: Measures
    components: tuple[Contributions, ...]
    worst_loss: Array
    worst_index: NDArray[np.int64]


def historical(book: Book, rates: Rates, wanted: Wanted) -> Scenarios:
    """The moves of the past as scenarios of a book, one for each day but the first, oldest first.

    With VOLATILITY_FILTERED each currency's returns against the euro are scaled by its volatility of now over that of
    the day (Hull and White 1998), with exponentially weighted variances; a currency that never moved stays where it is.

    Raises:
        Refused: the decay is so small that the variance of a currency that stood still for a while vanished.
    """
    returns = rates.returns()
    if wanted.method is Method.VOLATILITY_FILTERED:
        moving = np.flatnonzero(np.any(returns != 0.0, axis=1))
        model = volatility_filter.exponential(wanted.method.decay(wanted.decay))
        try:
            variances = volatility_filter.variance(returns[moving], model)
            returns[moving] = volatility_filter.scale(returns[moving], variances)
        except ArgumentError as error:
            still = rates.currencies[moving[error.index[0]]] if isinstance(error.index, tuple) else "a currency"
            words = f"is too small: {still} stood still for so long that its variance vanished; take one nearer to 1"
            raise Refused("decay", words) from None
    spot, conversion = pair_moves(book.pairs, book.reporting, rates.currencies, returns)
    return Scenarios(spot_return=spot, conversion_return=conversion)


def told(profit: Array, parts: Array | None, wanted: Wanted) -> Told:
    """The measures of profits.

    Args:
        profit: shape (scenarios,), losses negative, oldest first.
        parts: of each market, shape (markets, scenarios); None if components are not wanted.
        wanted: what is to be told.
    """
    weight = None
    if wanted.method is Method.AGE_WEIGHTED:
        weight = age_weight(len(profit), wanted.method.decay(wanted.decay))
    found = measure(profit, np.array(wanted.confidence), weight=weight)
    components = () if parts is None else tuple(attribution.historical(parts, each) for each in wanted.confidence)
    loss, index = worst(profit, min(WORST_MAX, len(profit)))
    return Told(found, components, loss, index)
