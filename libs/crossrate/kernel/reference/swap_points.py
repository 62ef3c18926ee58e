"""Swap points: the numpy twins of xr/swap_points.h."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import AMOUNT, LEVEL, SWAP_LEG, TIME, Codes
from crossrate.kernel.faults import Reason
from crossrate.kernel.ragged import first_fault
from crossrate.kernel.reference.curve import KNOT_GAP, find

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Small = NDArray[np.int8]


def _unsolved(rate: Array, points: Array) -> NDArray[np.uint8]:
    fine = (LEVEL.refused(rate) == 0) & (AMOUNT.refused(points) == 0)
    return np.where(fine, Reason.OK, Reason.NO_SOLUTION).astype(np.uint8)


def parity(
    spot: Array, base: Array, counter: Array, base_spot: Array, counter_spot: Array, pip: Array
) -> tuple[Array, Array, NDArray[np.uint8]]:
    """Covered interest parity: outright and points."""
    with np.errstate(all="ignore"):  # what overflows is refused
        yielded = np.log(base / base_spot) - np.log(counter / counter_spot)
        forward, above = spot * np.exp(yielded), spot * np.expm1(yielded) / pip
    reasons = _unsolved(forward, above)
    return np.where(reasons > 0, np.nan, forward), np.where(reasons > 0, np.nan, above), reasons


def _legs_fault(offsets: Integers, leg: Small) -> int:
    """At most one quote into spot and one into tomorrow a pair, and the latter not without the former."""
    for low, high in pairwise(offsets):
        seen: dict[int, int] = {}
        for i in range(low, high):
            code = int(leg[i])
            if code and code in seen:
                return int(Reason.INCONSISTENT) << 56 | 2 << 48 | i
            seen[code] = i
        if 2 in seen and 1 not in seen:
            return int(Reason.INCONSISTENT) << 56 | 2 << 48 | seen[2]
    return 0


def outright(
    offsets: Integers,
    leg: Small,
    bid: Array,
    offer: Array,
    spot_bid: Array,
    spot_offer: Array,
    pip: Array,
    results: tuple[Array, Array],
) -> int:
    """Fills both sides' outright rates; the fault, or 0."""
    crossed = np.where(offer < bid, Reason.INCONSISTENT, Reason.OK)
    crossed_spot = np.where(spot_offer < spot_bid, Reason.INCONSISTENT, Reason.OK)
    fault = first_fault(
        (2, SWAP_LEG.refused(leg)),
        (3, AMOUNT.refused(bid)),
        (4, AMOUNT.refused(offer)),
        (5, LEVEL.refused(spot_bid)),
        (6, LEVEL.refused(spot_offer)),
        (7, LEVEL.refused(pip)),
        (4, crossed),
        (6, crossed_spot),
    ) or _legs_fault(offsets, leg)
    if fault:
        return fault
    row = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    next_bid, next_offer = np.zeros(offsets.size - 1), np.zeros(offsets.size - 1)
    next_bid[row[leg == 1]], next_offer[row[leg == 1]] = bid[leg == 1], offer[leg == 1]
    low = np.where(leg == 0, bid, np.where(leg == 1, -offer, -(offer + next_offer[row])))
    high = np.where(leg == 0, offer, np.where(leg == 1, -bid, -(bid + next_bid[row])))
    low, high = spot_bid[row] + low * pip[row], spot_offer[row] + high * pip[row]
    bad = (LEVEL.refused(low) > 0) | (LEVEL.refused(high) > 0)
    fault = first_fault((3, np.where(bad, Reason.NO_SOLUTION, Reason.OK)))
    if not fault:
        results[0][:], results[1][:] = low, high
    return fault


def _times_fault(offsets: Integers, time: Array, place: int) -> int:
    gaps = np.diff(time, prepend=-np.inf)
    gaps[offsets[:-1]] = np.inf
    near = np.where(gaps < KNOT_GAP, Reason.NOT_ASCENDING, Reason.OK)
    return first_fault((place, TIME.refused(time)), (place, near))


def implied(offsets: Integers, time: Array, rate: Array, known: Array, known_is_base: Small, result: Array) -> int:
    """Fills the other currency's discount factors; the fault, or 0."""
    first = offsets[:-1]
    origin_known = np.zeros(time.size, np.uint8)
    origin_known[first[(time[first] == 0.0) & (known[first] != 1.0)]] = Reason.INCONSISTENT
    fault = _times_fault(offsets, time, 2) or first_fault(
        (3, LEVEL.refused(rate)),
        (4, LEVEL.refused(known)),
        (5, Codes(2, "").refused(known_is_base)),
        (4, origin_known),
    )
    if fault:
        return fault
    row = np.repeat(np.arange(first.size), np.diff(offsets))
    exponent = np.log(known) + np.where(known_is_base == 1, -1.0, 1.0)[row] * np.log(rate)
    at, after = exponent[first], exponent[first + 1]
    origin = at - (after - at) * (time[first] / (time[first + 1] - time[first]))
    with np.errstate(over="ignore"):  # what overflows is refused
        found = np.exp(exponent - origin[row])
    fault = first_fault((3, np.where(LEVEL.refused(found) > 0, Reason.NO_SOLUTION, Reason.OK)))
    if not fault:
        result[:] = found
    return fault


def broken(
    pair: Integers,
    time: Array,
    offsets: Integers,
    quote_time: Array,
    rate: Array,
    spot_time: Array,
    method: int,
    forward: Array,
    status: NDArray[np.uint8] | None,
) -> int:
    """Fills outright rates of dates between quoted ones; the fault, or 0."""
    fault = _times_fault(offsets, quote_time, 5) or first_fault((6, LEVEL.refused(rate)))
    if fault:
        return fault
    spot_at = find(offsets[:-1], np.diff(offsets), quote_time, spot_time)
    strange = np.where(quote_time[spot_at] != spot_time, Reason.INCONSISTENT, Reason.OK)
    fault = first_fault((7, strange)) or first_fault((8, Codes(2, "").refused(np.array([method]))))
    if fault:
        return fault
    unknown = (pair < 0) | (pair >= offsets.size - 1)
    k = np.where(unknown, 0, pair)
    reasons = np.where(unknown, np.uint8(Reason.NOT_A_CODE), TIME.refused(time))
    last = offsets[k + 1] - 1
    outside = (reasons == 0) & ((time < quote_time[offsets[k]]) | (time > quote_time[last]))
    reasons[outside] = Reason.NO_SOLUTION
    bad = np.flatnonzero(reasons)
    if bad.size and status is None:
        return int(reasons[bad[0]]) << 56 | (1 if unknown[bad[0]] else 2) << 48 | int(bad[0])
    if status is not None:
        status[:] = reasons
    j = find(offsets[k], offsets[k + 1] - offsets[k], quote_time, time)
    n = np.minimum(j + 1, last)
    spot, date = rate[spot_at][k], spot_time[k]
    with np.errstate(all="ignore"):  # at spot and at the last date, where other branches count
        weight = (time - quote_time[j]) / (quote_time[n] - quote_time[j])
        if method == 0:
            found = rate[j] + weight * (rate[n] - rate[j])
        else:
            a, b = (np.log(rate[at] / spot) / (quote_time[at] - date) for at in (j, n))
            mixed = a + weight * (b - a)
            difference = np.where(quote_time[j] == date, b, np.where(quote_time[n] == date, a, mixed))
            found = spot * np.exp(difference * (time - date))
        forward[:] = np.where(reasons > 0, np.nan, np.where(j == last, rate[last], found))
    return 0


def cross(
    first: Array, second: Array, divide: Small, spot: Array, points: Array, pip: Array
) -> tuple[Array, Array, Array, NDArray[np.uint8]]:
    """What two pairs imply for their cross: outright, points, and what the quoted points are above them."""
    with np.errstate(all="ignore"):  # what overflows is refused
        forward = np.where(divide == 1, first / second, first * second)
        above = (forward - spot) / pip
    reasons = _unsolved(forward, above)
    forward, above, residual = (np.where(reasons > 0, np.nan, each) for each in (forward, above, points - above))
    return forward, above, residual, reasons
