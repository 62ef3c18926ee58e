"""Value at risk without scenarios: a book's profit as a function of second order of normal moves of currencies.

With a = ln of a pair's spot over today's and b = ln of its conversion, a market's profit is
c·V(S·e^a)·e^b − c·V(S); its derivatives at zero are, with Δ and Γ those of V to S,

    ∂a = c·S·Δ    ∂b = c·V    ∂a∂a = c·(S²·Γ + S·Δ)    ∂a∂b = c·S·Δ    ∂b∂b = c·V

a and b are differences of two currencies' moves x, so that profit ≈ δ'x + ½ x'Γx; the conversion's risk is in it, and
crosses fit. Cumulants of that form are exact (Mathai and Provost 1992); their derivatives to a market's size are here,
which make Euler's allocation of the quantile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import attribution, parametric
from crossrate.kernel.attribution import Contributions
from crossrate.kernel.revalue import Markets
from services.risk.domain import expansion
from services.risk.domain.book import Book, Groups
from services.risk.domain.covariance import Covariance
from services.risk.domain.exposure import sensitivities
from services.risk.domain.measure import Measured, Wanted
from services.risk.domain.rates import pair_moves
from services.risk.domain.refusal import Refused

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Quadratics:
    """Profits δ'x + ½ x'Γx, one a row.

    Attributes:
        delta: shape (rows, currencies).
        gamma: shape (rows, currencies, currencies); None if it does not count.
    """

    delta: Array
    gamma: Array | None

    def sum(self) -> Quadratics:
        """All rows as one."""
        return Quadratics(self.delta.sum(axis=0, keepdims=True), _summed(self.gamma))

    def __add__(self, other: Quadratics) -> Quadratics:
        both = self.gamma is not None and other.gamma is not None
        return Quadratics(self.delta + other.delta, self.gamma + other.gamma if both else None)

    def __sub__(self, other: Quadratics) -> Quadratics:
        both = self.gamma is not None and other.gamma is not None
        return Quadratics(self.delta - other.delta, self.gamma - other.gamma if both else None)

    def rows(self, *others: Quadratics) -> Quadratics:
        """These rows and then others."""
        every = (self, *others)
        gammas = [each.gamma for each in every if each.gamma is not None]
        return Quadratics(np.concatenate([each.delta for each in every]), np.concatenate(gammas) if gammas else None)


@dataclass(frozen=True, slots=True, eq=False)
class Approximation:
    """A book, approximated.

    Attributes:
        currencies: of the moves.
        parts: the book, a row a market.
        candidates: a row for each list of candidates.
        units: one unit of the reporting currency in each pair's spot.
    """

    currencies: tuple[str, ...]
    parts: Quadratics
    candidates: Quadratics
    units: Quadratics


def approximation(book: Book, markets: Markets, groups: Groups, *, gamma: bool) -> Approximation:
    """The book's derivatives.

    Args:
        book: the book.
        markets: its pairs today.
        groups: which positions are candidates.
        gamma: whether second derivatives count.

    Raises:
        Refused: a second derivative is beyond all bounds, as that of an option at its expiry on its strike.
    """
    currencies = tuple(sorted(book.currencies()))
    width = len(book.pairs)
    cell = groups.place * width + book.positions.market
    delta, bend, _, value = (
        np.bincount(cell, each, groups.count * width).reshape(groups.count, width)
        for each in sensitivities(book, markets)
    )
    first, second = markets.conversion * markets.spot * delta, markets.conversion * value
    curved = markets.conversion * markets.spot**2 * bend + first
    spot, conversion = pair_moves(book.pairs, book.reporting, currencies, np.eye(len(currencies)))

    def of(a: Array, b: Array, aa: Array) -> Quadratics:
        linear = a[:, np.newaxis] * spot + b[:, np.newaxis] * conversion
        if not gamma:
            return Quadratics(linear, None)
        mixed = np.einsum("m,mi,mj->mij", a, spot, conversion)
        square = np.einsum("m,mi,mj->mij", aa, spot, spot) + np.einsum("m,mi,mj->mij", b, conversion, conversion)
        whole = square + mixed + mixed.transpose(0, 2, 1)
        if not np.all(np.abs(whole) <= 1e30):
            words = "has a gamma beyond all bounds (an option at its strike, without time?): simulate instead"
            raise Refused("book", words)
        return Quadratics(linear, whole)

    rows = [of(first[i], second[i], curved[i]) for i in range(groups.count)]
    one, none = np.ones(width), np.zeros(width)
    size = len(currencies)
    empty = Quadratics(np.zeros((0, size)), np.zeros((0, size, size)) if gamma else None)
    candidates = empty.rows(*(each.sum() for each in rows[1:]))
    return Approximation(currencies, rows[0], candidates, of(one, none, one))


def told(book: Approximation, covariance: Covariance, wanted: Wanted) -> tuple[parametric.Moments, list[Measured]]:
    """Moments of the book's profit, and the measures at each confidence.

    Args:
        book: approximated with gammas if the method is of second order.
        covariance: of its currencies, in their order.
        wanted: what is to be told.

    Returns:
        Incremental measures are NaN where the expansion has no answer without the market.

    Raises:
        Refused: the expansion has no answer for the book, or with a list of candidates.
    """
    matrix = covariance.matrix()
    total = book.parts.sum()
    every = total.rows(total + book.candidates)
    if wanted.components:
        every = every.rows(total - book.parts)
    moments = parametric.moments(every.delta, matrix, every.gamma)
    _require(moments, len(book.candidates.delta), wanted)
    found = [_at(level, book, matrix, moments, wanted) for level in wanted.confidence]
    return parametric.Moments(*(each[:1] for each in moments)), found


def value_at_risk(total: Quadratics, covariance: Covariance, confidence: float) -> float:
    """Value at risk alone, of one row.

    Raises:
        Refused: the expansion has no answer for its moments.
    """
    moments = parametric.moments(total.delta, covariance.matrix(), total.gamma)
    if not expansion.ascends(moments.skewness, moments.kurtosis, confidence)[0]:
        raise Refused("book.covariance.method", _without(moments, 0))
    return float(_measures(moments, confidence)[0][0])


def _at(level: float, book: Approximation, matrix: Array, moments: parametric.Moments, wanted: Wanted) -> Measured:
    var, es = _measures(moments, level)
    others = slice(1, 1 + len(book.candidates.delta))
    found = Measured(level, float(var[0]), float(es[0]), None, None, None, var[others] - var[0], es[others] - es[0])
    if not wanted.components:
        return found
    rows = len(book.parts.delta)
    if book.parts.gamma is None:
        components = attribution.normal(book.parts.delta, matrix, level)
        rest = book.parts.sum() - book.units.sum()
        units = attribution.normal(book.units.rows(rest).delta, matrix, level)
        return found.with_contributions(components, units.component_var[:rows], units.component_es[:rows])
    without = slice(others.stop, None)
    fine = expansion.ascends(moments.skewness[without], moments.kurtosis[without], level)
    own_var, own_es = _allocated(book.parts, book.parts, matrix, level)
    unit_var, unit_es = _allocated(book.parts, book.units, matrix, level)
    components = Contributions(
        found.value_at_risk,
        found.value_at_risk,
        found.expected_shortfall,
        own_var,
        own_es,
        np.where(fine, var[0] - var[without], np.nan),
        np.where(fine, es[0] - es[without], np.nan),
    )
    return found.with_contributions(components, unit_var, unit_es)


def _measures(moments: parametric.Moments, level: float) -> tuple[Array, Array]:
    var, es = expansion.measures(moments.skewness, moments.kurtosis, level)
    return moments.deviation * var - moments.mean, moments.deviation * es - moments.mean


def _allocated(parts: Quadratics, each: Quadratics, matrix: Array, level: float) -> tuple[Array, Array]:
    """Derivatives of both measures of the sum of `parts` to the size of each row of `each`.

    VaR = −κ₁ + √κ₂·g(s, k) with s = κ₃/κ₂^1.5 and k = κ₄/κ₂²; κ are polynomials in the size. Components of all parts
    add up to the measure, since s and k do not depend on scale.
    """
    total = parts.sum()
    assert total.gamma is not None
    assert each.gamma is not None
    delta, bend = total.delta[0] @ matrix, total.gamma[0] @ matrix
    square = bend @ bend
    own, bent = each.delta, each.gamma @ matrix
    k1 = 0.5 * np.trace(bent, axis1=1, axis2=2)
    k2 = 2.0 * own @ delta + np.einsum("ij,mji->m", bend, bent)
    turned = delta @ each.gamma @ matrix
    # δ'ΣΓΣδ and δ'ΣΓΣΓΣδ by the product rule, traces of powers of ΓΣ alike.
    k3 = 6.0 * own @ (delta @ bend) + 3.0 * turned @ total.delta[0] + 3.0 * np.einsum("ij,mji->m", square, bent)
    k4 = 24.0 * own @ (delta @ square) + 24.0 * turned @ (total.gamma[0] @ delta)
    k4 += 12.0 * np.einsum("ij,mji->m", square @ bend, bent)
    now = parametric.moments(total.delta, matrix, total.gamma)
    deviation, skewness, kurtosis = (float(value[0]) for value in now[1:])
    if deviation <= 1e-50:
        return np.zeros(len(own)), np.zeros(len(own))
    spread = 0.5 * k2 / deviation
    skew = k3 / deviation**3 - 3.0 * skewness * spread / deviation
    tail = k4 / deviation**4 - 4.0 * kurtosis * spread / deviation
    values = expansion.measures(np.array(skewness), np.array(kurtosis), level)
    var, es = (
        -k1 + spread * float(value) + deviation * (to_skewness * skew + to_kurtosis * tail)
        for value, (to_skewness, to_kurtosis) in zip(values, expansion.slopes(skewness, kurtosis, level), strict=True)
    )
    return var, es


def _require(moments: parametric.Moments, candidates: int, wanted: Wanted) -> None:
    """Refuses moments of the book, or of it with candidates, for which the expansion has no answer."""
    for level in wanted.confidence:
        fine = expansion.ascends(moments.skewness, moments.kurtosis, level)[: 1 + candidates]
        if not fine.all():
            first = int(np.argmin(fine))
            raise Refused("candidate" if first else "method", _without(moments, first))


def _without(moments: parametric.Moments, row: int) -> str:
    """Why the expansion has no answer for a row."""
    whose = f"the book with list {row} of candidates" if row else "this book"
    skewness, kurtosis = float(moments.skewness[row]), float(moments.kurtosis[row])
    return (
        f"VAR_METHOD_DELTA_GAMMA has no answer for {whose}: the Cornish-Fisher expansion has no quantiles at a "
        f"skewness of {skewness:.3g} and an excess kurtosis of {kurtosis:.3g}; simulate instead"
    )


def _summed(gamma: Array | None) -> Array | None:
    return None if gamma is None else gamma.sum(axis=0, keepdims=True)
