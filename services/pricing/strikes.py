"""Requests for strikes as what is sought, and its market."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.api.pricing.v1 import strike_pb2 as pb
from crossrate.basics.pair import Pair
from crossrate.rpc import arrays
from services.pricing import messages
from services.pricing.books import ATMS, QUOTE_CUTS
from services.pricing.domain.market import Snapshot, Standing
from services.pricing.domain.product import expiry_of
from services.pricing.domain.refusal import Refused
from services.pricing.domain.strikes import BY_DELTA, Sought, at_volatility, on_smile, require_deltas

Array = NDArray[np.float64]

_ATM_CODES = np.array([BY_DELTA, *(int(ATMS[code]) for code in sorted(ATMS))], np.int8)
"""By the contract's codes, 0 for a delta."""


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """Strikes, volatilities, forwards and times, and whether each was found."""

    strike: Array
    volatility: Array
    forward: Array
    time: Array
    fine: NDArray[np.bool_]


def solve_given(request: pb.SolveStrikeRequest) -> Solved:
    """Strikes in a market that the request gives.

    Raises:
        Refused: an array's length fits neither, or the request lacks times or delta types.
        ArgumentError: the kernel refuses an element.
    """
    count = len(request.delta)
    if not request.delta_type:
        raise Refused("delta_type", "is empty: without a snapshot there is no pair whose standard it could be")
    if not request.time:
        raise Refused("time", "is empty: give years to expiry")
    time = _spread(request, "time", count)
    given = {
        name: _spread(request.given, name, count, "given.")
        for name in ("spot", "volatility", "domestic_rate", "foreign_rate")
    }
    if (given["volatility"] <= 0).any():
        place = int((given["volatility"] <= 0).argmax()) if len(request.given.volatility) > 1 else 0
        raise Refused(f"given.volatility[{place}]", "must be above 0: without volatility no strike has a delta")
    sought = Sought(
        delta=arrays.get(request, "delta"),
        convention=(_spread(request, "delta_type", count) - 1).astype(np.int8),
        atm=_atm(request, count),
        spot=given["spot"],
        time=time,
        domestic=given["domestic_rate"] * time,
        foreign=given["foreign_rate"] * time,
    )
    require_deltas(sought.delta, sought.atm)
    strike, volatility, fine = at_volatility(sought, given["volatility"])
    return Solved(strike, volatility, sought.forward, time, fine)


def solve_snapshot(request: pb.SolveStrikeRequest, snapshot: Snapshot) -> Solved:
    """Strikes on the smiles of a snapshot.

    Raises:
        Refused: an array's length fits neither, a place has no pair, or there are times and expiries or neither.
        Missing: the snapshot lacks a pair's spot rate, curve or surface.
        OutsideCalendar: a date lies outside of what is known of a calendar.
    """
    count = len(request.delta)
    pairs = [messages.pair_of(name) for name in request.snapshot.instruments]
    place = _places(request, pairs, count)
    standings = [snapshot.of(pair) for pair in pairs]
    if bool(request.time) == bool(request.snapshot.expiry):
        raise Refused("time", "give either times or the snapshot's expiries")
    time, spans = _dated(request, standings, place, count)
    spot, domestic, foreign = np.empty((3, count))
    convention = np.empty(count, np.int8)
    for i, standing in enumerate(standings):
        mine = np.flatnonzero(place == i)
        for curve, into in ((standing.domestic, domestic), (standing.foreign, foreign)):
            into[mine] = curve.growth(spans[mine]) - curve.growth(standing.spot_time)
        spot[mine] = standing.spot
        convention[mine] = standing.conventions_at(time[mine])
    if request.delta_type:
        convention = (_spread(request, "delta_type", count) - 1).astype(np.int8)
    sought = Sought(arrays.get(request, "delta"), convention, _atm(request, count), spot, time, domestic, foreign)
    require_deltas(sought.delta, sought.atm)

    def smile(which: NDArray[np.int64], strike: Array) -> Array:
        found = np.empty(len(which))
        for i, standing in enumerate(standings):
            mine = np.flatnonzero(place[which] == i)
            if mine.size:
                found[mine] = standing.volatility(time[which[mine]], strike[mine])
        return found

    strike, volatility, fine = on_smile(sought, smile)
    return Solved(strike, volatility, sought.forward, time, fine)


def _dated(
    request: pb.SolveStrikeRequest, standings: list[Standing], place: NDArray[np.int64], count: int
) -> tuple[Array, Array]:
    """Years to expiry, and years from the trade date to delivery."""
    if request.time:
        time = _spread(request, "time", count)
        return time, time
    texts = list(request.snapshot.expiry)
    if len(texts) not in (1, count):
        words = f"has {len(texts)} elements for {count} strikes (delta has {count}): give 1 or {count}"
        raise Refused("snapshot.expiry", words)
    cut = QUOTE_CUTS[request.snapshot.cut]
    known: dict[tuple[int, str], tuple[float, float]] = {}
    found = np.empty((2, count))
    for k, i in enumerate(place.tolist()):
        at = k if len(texts) > 1 else 0
        key = (i, texts[at])
        if key not in known:
            standing, field = standings[i], f"snapshot.expiry[{at}]"
            day, delivery = expiry_of(standing.dates, texts[at], field)
            time = standing.time_to(cut.on(day))
            if time <= 0:
                raise Refused(
                    field, f"{day} {cut.value} is past: the snapshot is of {standing.as_of:%Y-%m-%d %H:%M} UTC"
                )
            known[key] = time, standing.time(delivery)
        found[:, k] = known[key]
    return found[0], found[1]


def _places(request: pb.SolveStrikeRequest, pairs: list[Pair], count: int) -> NDArray[np.int64]:
    field = "snapshot.instrument_index"
    if not request.snapshot.instrument_index:
        return np.zeros(count, np.int64)
    place = _spread(request.snapshot, "instrument_index", count, "snapshot.").astype(np.int64)
    if (place >= len(pairs)).any():
        i = int((place >= len(pairs)).argmax()) if len(request.snapshot.instrument_index) > 1 else 0
        raise Refused(f"{field}[{i}]", f"is {place[i]}; there are {len(pairs)} instruments, counted from 0")
    return place


def _atm(request: pb.SolveStrikeRequest, count: int) -> NDArray[np.int8]:
    if not request.atm_type:
        return np.full(count, BY_DELTA, np.int8)
    return _ATM_CODES[_spread(request, "atm_type", count)]


def _spread(message: pb.SolveStrikeRequest, name: str, count: int, prefix: str = "") -> NDArray:
    values = arrays.get(message, name)
    if len(values) == count:
        return values
    if len(values) != 1:
        words = f"has {len(values)} elements for {count} strikes (delta has {count}): give 1 or {count}"
        raise Refused(f"{prefix}{name}", words)
    return np.full(count, values[0], values.dtype)
