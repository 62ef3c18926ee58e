"""Swap points and outright forwards, and the curves and crosses that they imply by covered interest parity.

A pair's price is counter currency per base currency. Points are the later date's outright minus the earlier's, in pips
of the pair. Times are years from the trade date; value dates come from the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.curve import Curves, Interpolation
from crossrate.kernel.domain import AMOUNT, LEVEL, SWAP_LEG, TIME, Codes, Rule
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError, unpack
from crossrate.kernel.front import Elementwise, common_shape, numbers
from crossrate.kernel.ragged import call, explain, offsets_of, repeated, same_length, vector
from crossrate.kernel.reference import swap_points as reference

Array = NDArray[np.float64]


class SwapLeg(IntEnum):
    """Which two dates a quote of swap points is between.

    FROM_SPOT: from spot to a later date (spot/next, 1W, 1M). INTO_SPOT: from the day before spot to spot (tom/next;
    overnight where spot is tomorrow). INTO_TOMORROW: overnight of a pair whose spot is two days away.
    """

    FROM_SPOT = 0
    INTO_SPOT = 1
    INTO_TOMORROW = 2


class BrokenDate(IntEnum):
    """How a broken date lies between quoted ones: by points straight in time, or by the implied rate difference."""

    BY_POINTS = 0
    BY_RATE = 1


_DIVIDE = Codes(2, "it must be 0 (first × second) or 1 (first / second)")
_IS_BASE = Codes(2, "it must be 1 if the known currency is the pair's base, 0 if it is the counter")
_METHOD = Codes(2, "it must be 0 (by points) or 1 (by rate)")

_PARITY = Elementwise(
    "xr_swap_points_parity",
    dict.fromkeys(("spot", "base", "counter", "base_spot", "counter_spot", "pip"), LEVEL),
    ("outright", "points"),
    reference.parity,
    "base",
)
_CROSS = Elementwise(
    "xr_swap_points_cross",
    {"first": LEVEL, "second": LEVEL, "divide": _DIVIDE, "spot": LEVEL, "points": AMOUNT, "pip": LEVEL},
    ("implied", "implied_points", "residual"),
    reference.cross,
    "first",
)


class Forward(NamedTuple):
    """An outright forward (counter per base) and its swap points (pips above spot, negative below)."""

    outright: Array
    points: Array


class TwoSided(NamedTuple):
    """The bid and the offer of the base currency, counter per base."""

    bid: Array
    offer: Array


class Cross(NamedTuple):
    """What two pairs imply for their cross.

    Attributes:
        outright: implied, counter per base.
        points: implied, pips above the quoted spot.
        residual: quoted points minus implied ones, pips.
    """

    outright: Array
    points: Array
    residual: Array


class InconsistentCrossError(ValueError):
    """A cross's points are further from what two other pairs imply than allowed; names the tenor that is worst.

    Attributes:
        tenor: the worst one.
        residual: quoted points minus implied ones there, pips.
        tenors: all that are outside of the tolerance.
    """

    def __init__(self, tenor: str, residual: float, tolerance: float, tenors: tuple[str, ...]) -> None:
        others = f"; outside are {', '.join(tenors)}" if len(tenors) > 1 else ""
        super().__init__(
            f"{tenor}: the quoted points are {residual:+.6g} pips from those that the other two pairs imply, "
            f"{tolerance:g} are allowed{others}"
        )
        self.tenor, self.residual, self.tolerance, self.tenors = tenor, residual, tolerance, tenors

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.tenor, self.residual, self.tolerance, self.tenors))


def parity(
    spot: Any, base: Any, counter: Any, base_spot: Any, counter_spot: Any, pip: Any, *, threads: int = 1
) -> Forward:
    """Outright forwards and points by covered interest parity, from discount factors.

    Forward = spot × base / base_spot × counter_spot / counter. Before spot the points' sign turns by itself: they are
    what is added to spot, not the quoted tom/next points.

    The outright is within 1e-15 of itself, points × pip within 1e-15 of spot.

    Args:
        spot: counter per base, for the spot date.
        base, counter: each currency's discount factor to the forward's date.
        base_spot, counter_spot: to the spot date.
        pip: the pair's, e.g. 0.0001, or 0.01 for the yen.
        threads: how many threads share the work.

    Raises:
        ArgumentError: an element was refused; names argument and index.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    return Forward(*_PARITY(spot, base, counter, base_spot, counter_spot, pip, threads=threads))


def forwards(
    spot: Any, spot_time: float, time: Any, base: Curves, counter: Curves, pip: Any, curve: Any = 0
) -> Forward:
    """Outright forwards and points at times, from both currencies' curves; `curve` is the place in both.

    As exact as `parity` and the curves' discount factors.

    Raises:
        ArgumentError: an element was refused; names argument and index.
        ShapeError: the arrays' shapes differ.
    """
    near = np.zeros_like(np.asarray(time, np.float64)) + spot_time
    return parity(
        spot,
        base.discount(time, curve),
        counter.discount(time, curve),
        base.discount(near, curve),
        counter.discount(near, curve),
        pip,
    )


def outrights(
    leg: Any, bid: Any, offer: Any, spot_bid: Any, spot_offer: Any, pip: Any, offsets: Any = None
) -> TwoSided:
    """Two-sided outright rates from quoted swap points: of each quote's date that is not spot.

    Points before spot are taken from spot: outright of tomorrow = spot − tom/next, of today = spot − tom/next −
    overnight, so that the bid there takes the points' offer.

    Within 1e-15 of themselves.

    Args:
        leg: `SwapLeg` of each quote; a pair has at most one INTO_SPOT, and an INTO_TOMORROW only beside it.
        bid, offer: points in pips, the bid not above the offer (as a number: −12 / −11).
        spot_bid, spot_offer, pip: of each pair, or one for all.
        offsets: where pairs begin and end in the quotes; None is one pair.

    Raises:
        ArgumentError: a quote was refused, sides are crossed, or an outright is not positive; names argument and index.
        ShapeError: the quotes' lengths differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    quotes = {"leg": vector("leg", leg, np.int8), "bid": vector("bid", bid), "offer": vector("offer", offer)}
    bounds = offsets_of(offsets, same_length(**quotes))
    sides = {"spot_bid": spot_bid, "spot_offer": spot_offer, "pip": pip}
    pairs = {name: repeated(name, value, bounds.size - 1, of="pairs") for name, value in sides.items()}
    results = TwoSided(*np.empty((2, quotes["bid"].size)))
    if path.is_numpy():
        fault = reference.outright(bounds, *quotes.values(), *pairs.values(), results)
    else:
        arrays = (bounds, *quotes.values(), *pairs.values(), *results)
        fault = call("xr_swap_points_outright", bounds.size - 1, arrays)
    if fault:
        rules: tuple[Rule | None, ...] = (None, SWAP_LEG, AMOUNT, AMOUNT, LEVEL, LEVEL, LEVEL)
        columns = {"offsets": bounds, **quotes, **pairs}
        of_legs = "a pair has one quote into spot and one into tomorrow at most, and the latter only beside the former"
        crossed = "the offer is below the bid"
        says = {
            Reason.INCONSISTENT: of_legs if unpack(fault)[1] == 2 else crossed,
            Reason.NO_SOLUTION: "spot and points give an outright that is not positive: are the points in pips?",
        }
        raise explain(fault, dict(zip(columns, zip(columns.values(), rules, strict=True), strict=True)), says)
    return results


def with_spot(time: Any, outright: Any, spot: float, spot_time: float) -> tuple[Array, Array]:
    """One pair's dates and outrights in ascending order, the spot date with the spot rate among them."""
    times, rates = vector("time", time), vector("outright", outright)
    same_length(time=times, outright=rates)
    order = np.argsort(np.append(times, spot_time), kind="stable")
    return np.append(times, spot_time)[order], np.append(rates, spot)[order]


def implied_curves(
    known: Curves,
    known_is_base: Any,
    time: Any,
    outright: Any,
    offsets: Any = None,
    interpolation: Any = Interpolation.LOG_LINEAR,
) -> Curves:
    """The other currency's curves, from one currency's and outright rates by covered interest parity.

    With a date at time 0 (from the overnight points) discount factors are known from there on; without one the implied
    forward rate before the second date is taken to be constant, which makes the discount factor 1 at time 0.

    Discount factors at the dates are within 1e-15 of those that the known curve's readings imply.

    Args:
        known: one curve for each pair, or one for all.
        known_is_base: 1 if the known currency is the pair's base, 0 if it is the counter; of each pair, or one for all.
        time, outright: each pair's dates in ascending order, spot among them; see `with_spot`.
        offsets: where pairs begin and end in the dates; None is one pair.
        interpolation: of the implied curves.

    Raises:
        ArgumentError: a date or rate was refused, or implies no discount factor; names argument and index.
        ShapeError: lengths do not go together.
        TypeError: an argument is not numeric or has another dtype.
    """
    times, rates = vector("time", time), vector("outright", outright)
    bounds = offsets_of(offsets, same_length(time=times, outright=rates), fewest=2)
    pairs = bounds.size - 1
    if len(known) not in (1, pairs):
        raise ShapeError(f"known has {len(known)} curves: one, or one for each of the {pairs} pairs, is needed")
    is_base = repeated("known_is_base", known_is_base, pairs, np.int8, "pairs")
    row = np.repeat(np.arange(pairs), np.diff(bounds))
    factors = known.discount(times, row if len(known) > 1 else 0)
    result = np.empty(times.size)
    if path.is_numpy():
        fault = reference.implied(bounds, times, rates, factors, is_base, result)
    else:
        fault = call("xr_swap_points_implied", pairs, (bounds, times, rates, factors, is_base, result))
    if fault:
        columns = {"offsets": bounds, "time": times, "outright": rates, "known": factors, "known_is_base": is_base}
        rules: tuple[Rule | None, ...] = (None, TIME, LEVEL, LEVEL, _IS_BASE)
        says = {
            Reason.NOT_ASCENDING: "dates of a pair must ascend by at least 1e-6 years",
            Reason.NO_SOLUTION: "it implies a discount factor outside of 1e-60 to 1e60",
        }
        raise explain(fault, dict(zip(columns, zip(columns.values(), rules, strict=True), strict=True)), says)
    later = times > 0.0
    kept = np.append(0, np.cumsum(later))[bounds]
    return Curves(times[later], result[later], kept, interpolation)


def broken_date(
    time: Any,
    quote_time: Any,
    outright: Any,
    spot_time: Any,
    method: BrokenDate = BrokenDate.BY_POINTS,
    pair: Any = 0,
    offsets: Any = None,
) -> Array:
    """Outright rates of dates between quoted ones; nothing is extrapolated.

    BY_POINTS: points run straight in time between neighbouring dates. BY_RATE: the difference of both rates does, which
    is log(forward / spot) / (time − spot time); between spot and its neighbour it is the neighbour's.

    Within 1e-15 of itself by either method.

    Args:
        time: years, within the pair's quoted dates.
        quote_time, outright: each pair's dates in ascending order, spot among them; see `with_spot`.
        spot_time: of each pair, or one for all; exactly one of its dates.
        method: see above.
        pair: which pair each time is about, from 0.
        offsets: where pairs begin and end in the quotes; None is one pair.

    Raises:
        ArgumentError: a time is outside of the quoted dates, or a quote was refused; names argument and index.
        ShapeError: lengths do not go together.
        TypeError: an argument is not numeric or has another dtype.
    """
    dates, rates = vector("quote_time", quote_time), vector("outright", outright)
    bounds = offsets_of(offsets, same_length(quote_time=dates, outright=rates), fewest=2)
    spots = repeated("spot_time", spot_time, bounds.size - 1, of="pairs")
    given = {"pair": numbers("pair", pair, np.int64), "time": numbers("time", time)}
    shape = common_shape(given)
    flat = {name: np.ascontiguousarray(np.broadcast_to(value, shape)).reshape(-1) for name, value in given.items()}
    result = np.empty(flat["time"].size)
    if path.is_numpy():
        fault = reference.broken(*flat.values(), bounds, dates, rates, spots, int(method), result, None)
    else:
        arrays = (*flat.values(), bounds.size - 1, bounds, dates, rates, spots, int(method), result, None)
        fault = call("xr_swap_points_broken", result.size, arrays)
    if fault:
        raise _broken_error(
            fault, flat, shape, {"offsets": bounds, "quote_time": dates, "outright": rates}, spots, method
        )
    return result.reshape(shape)


def _broken_error(
    fault: int,
    flat: dict[str, NDArray[Any]],
    shape: tuple[int, ...],
    quotes: dict[str, NDArray[Any]],
    spots: Array,
    method: int,
) -> ArgumentError:
    place = unpack(fault)[1]
    if place == 8:
        return ArgumentError("method", None, Reason.NOT_A_CODE, int(method), _METHOD.says)
    columns = {**flat, "pairs": spots, **quotes, "spot_time": spots}
    pairs = spots.size
    rules = (Codes(pairs, f"it must be a pair's place, from 0 to {pairs - 1}"), TIME, None, None, TIME, LEVEL, TIME)
    says = {
        Reason.NOT_ASCENDING: "dates of a pair must ascend by at least 1e-6 years",
        Reason.NO_SOLUTION: "it is outside of the pair's quoted dates: quote further, or use curves, which go on flat",
        Reason.INCONSISTENT: "it is none of the pair's dates: put spot among them (with_spot)",
    }
    arguments = dict(zip(columns, zip(columns.values(), rules, strict=True), strict=True))
    return explain(fault, arguments, says, shape if place <= 2 else None)


def cross(first: Any, second: Any, divide: Any, spot: Any, points: Any, pip: Any, *, threads: int = 1) -> Cross:
    """A cross's forward from two pairs' outrights, and how far quoted points are from it.

    The outright is rounded once; the residual is within 1e-15 × (|points| + spot / pip).

    Args:
        first, second: outrights at the cross's dates: A/B and B/C (or A/C's legs through B as `divide` says).
        divide: 0 for first × second (A/B × B/C), 1 for first / second (A/B ÷ C/B).
        spot: the cross's, A/C.
        points: quoted for the cross, in pips above spot.
        pip: the cross's.
        threads: how many threads share the work.

    Raises:
        ArgumentError: an element was refused; names argument and index.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    return Cross(*_CROSS(first, second, divide, spot, points, pip, threads=threads))


def require_consistent(tenors: Sequence[str], residual: Any, tolerance: float) -> None:
    """Checks a cross's residuals against a tolerance in pips.

    Raises:
        InconsistentCrossError: one is outside; names the worst tenor and all that are.
        ArgumentError: the tolerance is negative or not finite, or a residual is.
        ShapeError: there are not as many residuals as tenors.
    """
    values = vector("residual", residual)
    if values.size != len(tenors):
        raise ShapeError(f"residual has {values.size} elements, tenors has {len(tenors)}: they must be as many")
    if not 0.0 <= tolerance < np.inf:
        reason = Reason.OUT_OF_RANGE if np.isfinite(tolerance) else Reason.NOT_FINITE
        raise ArgumentError("tolerance", None, reason, tolerance, "it must be a number of pips, not negative")
    strange = np.flatnonzero(~np.isfinite(values))
    if strange.size:
        at = int(strange[0])
        raise ArgumentError("residual", at, Reason.NOT_FINITE, float(values[at]), f"{tenors[at]} has no residual")
    outside = np.flatnonzero(np.abs(values) > tolerance)
    if outside.size:
        worst = int(outside[np.argmax(np.abs(values[outside]))])
        named = tuple(tenors[at] for at in outside)
        raise InconsistentCrossError(tenors[worst], float(values[worst]), float(tolerance), named)
