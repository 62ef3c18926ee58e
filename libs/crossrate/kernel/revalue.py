"""Full revaluation of a book in many scenarios: what historical and Monte Carlo risk figures are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.domain import AMOUNT, LEVEL, RATE, TIME, VOLATILITY, Codes, Interval, Rule
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError, unpack
from crossrate.kernel.front import in_threads, numbers, pointer, threads_of
from crossrate.kernel.reference import revalue as reference

Array = NDArray[np.float64]
PUT, CALL, FORWARD = 0, 1, 2

KIND = Codes(3, "it must be 0 for a put, 1 for a call or 2 for a forward")
RETURN = Interval(-50.0, 50.0, "it must be a logarithmic return from -50 to 50")
VOLATILITY_SHIFT = Interval(-100.0, 100.0, "it must be a shift of volatility from -100 to 100")
RATE_SHIFT = Interval(-5.0, 5.0, "it must be a shift of a rate from -5 to 5")
BLOCK = 64


@dataclass(frozen=True, slots=True)
class Positions:
    """FX options and forwards, one element a position.

    Attributes:
        kind: 0 put, 1 call, 2 forward (buys the base currency at the strike).
        market: row of the position's pair in `Markets`.
        strike: counter per base.
        time: years to expiry.
        volatility: per square root of a year, today.
        domestic_rate: continuously compounded rate of the counter currency, today.
        foreign_rate: the same of the base currency.
        notional: base currency bought, negative if sold.
    """

    kind: Any
    market: Any
    strike: Any
    time: Any
    volatility: Any
    domestic_rate: Any
    foreign_rate: Any
    notional: Any


@dataclass(frozen=True, slots=True)
class Markets:
    """Currency pairs today.

    Attributes:
        spot: counter per base.
        conversion: reporting currency for one of the counter currency.
    """

    spot: Any
    conversion: Any


@dataclass(frozen=True, slots=True)
class Scenarios:
    """Shifts of markets × scenarios; what is None does not move.

    Attributes:
        spot_return: ln of the scenario's spot over today's.
        volatility_shift: added to each position's volatility; the sum is not let below zero.
        domestic_shift: added to the counter currency's rate.
        foreign_shift: added to the base currency's rate.
        conversion_return: ln of the scenario's conversion over today's.
    """

    spot_return: Any
    volatility_shift: Any = None
    domestic_shift: Any = None
    foreign_shift: Any = None
    conversion_return: Any = None


POSITION_RULES: dict[str, Rule] = {
    "kind": KIND,
    "market": Codes(0, ""),
    "strike": LEVEL,
    "time": TIME,
    "volatility": VOLATILITY,
    "domestic_rate": RATE,
    "foreign_rate": RATE,
    "notional": AMOUNT,
}
MARKET_RULES: dict[str, Rule] = {"spot": LEVEL, "conversion": LEVEL}
SHIFT_RULES: dict[str, Rule] = {
    "spot_return": RETURN,
    "volatility_shift": VOLATILITY_SHIFT,
    "domestic_shift": RATE_SHIFT,
    "foreign_shift": RATE_SHIFT,
    "conversion_return": RETURN,
}
ARGUMENTS = ("positions", "markets", "scenarios", "stride", *POSITION_RULES, *MARKET_RULES, *SHIFT_RULES)


def profit(
    positions: Positions, markets: Markets, scenarios: Scenarios, *, threads: int = 1, contributions: bool = False
) -> Array | tuple[Array, Array]:
    """Profit of the whole book in each scenario, and with `contributions` of each position too.

    Each scenario's profit is the sum, in the order of positions, of notional × (conversion × value in the scenario −
    conversion × value today), with every position valued anew by the Garman–Kohlhagen formula. The sum is the same to
    the last bit for any number of threads.

    A position's profit is within 1e-15 × |notional| in the reporting currency (counter near one), the book's within
    that of their sum.

    Args:
        positions: the book; arrays of one length, or single numbers for all.
        markets: the pairs; arrays of one length.
        scenarios: shifts of shape (markets, scenarios).
        threads: how many share the scenarios.
        contributions: whether each position's profit is wanted, which takes positions × scenarios × 8 bytes.

    Returns:
        Profit in the reporting currency of shape (scenarios,), losses negative; with `contributions` also an array of
        shape (positions, scenarios).

    Raises:
        ArgumentError: an element was refused; names argument and index.
        ShapeError: shapes do not go together.
        TypeError: an argument is not numeric or has another dtype.
    """
    book = _columns(positions, POSITION_RULES, 1)
    pairs = _columns(markets, MARKET_RULES, 1)
    shifts = _columns(scenarios, SHIFT_RULES, 2)
    rows = len(pairs["spot"])
    shape = shifts["spot_return"].shape
    if shape[0] != rows:
        raise ShapeError(f"spot_return has shape {shape} for {rows} markets: one row a market is needed")
    result = np.empty(shape[1])
    parts = np.empty((len(book["kind"]), shape[1])) if contributions else None
    run = _twin if path.is_numpy() else _compiled
    run(book, pairs, shifts, result, parts, threads_of(threads))
    return result if parts is None else (result, parts)


def _columns(given: Any, rules: Mapping[str, Rule], dimensions: int) -> dict[str, NDArray[Any]]:
    """The fields as arrays of one shape; a single number stands for all, None stays out."""
    dtypes = {"kind": np.int8, "market": np.int64}
    found = {
        name: numbers(name, getattr(given, name), dtypes.get(name, np.float64))
        for name in rules
        if getattr(given, name) is not None
    }
    shapes = {name: each.shape for name, each in found.items() if each.ndim}
    shape = next(iter(shapes.values()), (1,) * dimensions)
    for name, each in shapes.items():
        if each != shape or len(each) != dimensions:
            raise ShapeError(
                f"{name} has shape {each}, {next(iter(shapes))} has {shape}: one shape of {dimensions} dimension(s) is "
                "needed"
            )
    return {name: each if each.ndim else np.full(shape, each[()], each.dtype) for name, each in found.items()}


def _compiled(
    book: Mapping[str, Array],
    pairs: Mapping[str, Array],
    shifts: Mapping[str, Array],
    result: Array,
    parts: Array | None,
    threads: int,
) -> None:
    null = path.ffi.NULL
    count, rows, width = len(book["kind"]), len(pairs["spot"]), len(result)
    fixed = [pointer(each) for each in (*book.values(), *pairs.values())]

    def work(start: int, stop: int) -> int:
        moved = [pointer(shifts[name][:, start:stop]) if name in shifts else null for name in SHIFT_RULES]
        own = None if parts is None else np.empty((count, stop - start))
        scratch = np.empty(6 * count + 6 * BLOCK * rows)
        fault = path.lib.xr_revalue(
            *(count, rows, stop - start, width, *fixed, *moved),
            *(pointer(result[start:stop]), null if own is None else pointer(own), pointer(scratch)),
        )
        if own is not None and parts is not None:
            parts[:, start:stop] = own
        reason, place, _ = unpack(fault)
        return fault + start if reason and ARGUMENTS[place] in SHIFT_RULES else fault

    fault = in_threads(work, width, threads, BLOCK)
    if fault:
        reason, place, index = unpack(fault)
        raise _refusal(ARGUMENTS[place], reason, index, {**book, **pairs, **shifts}, rows)


def _refusal(name: str, reason: Reason, index: int, columns: Mapping[str, Array], rows: int) -> ArgumentError:
    """What a fault means, in words."""
    column = columns[name]
    at = (index // column.shape[1], index % column.shape[1]) if column.ndim == 2 else index
    says = {**POSITION_RULES, **MARKET_RULES, **SHIFT_RULES}[name].says
    if name == "market":
        says = f"there are {rows} markets: it must be from 0 to {rows - 1}"
    return ArgumentError(name, at, reason, column[at].item(), says)


def _twin(
    book: Mapping[str, Array],
    pairs: Mapping[str, Array],
    shifts: Mapping[str, Array],
    result: Array,
    parts: Array | None,
    threads: int,
) -> None:
    rows = len(pairs["spot"])
    rules = {**MARKET_RULES, **SHIFT_RULES, **POSITION_RULES, "market": Codes(rows, "")}
    _check(pairs, rules, rows)
    for name in shifts:
        _check({name: shifts[name]}, rules, rows)
    _check(book, rules, rows)
    none = np.zeros((rows, len(result)))
    result[:] = 0.0
    each = reference.gains(
        book["kind"],
        book["market"],
        tuple(list(book.values())[2:]),
        pairs["spot"],
        pairs["conversion"],
        tuple(shifts.get(name, none) for name in SHIFT_RULES),
    )
    for i, gained in enumerate(each):
        result += gained
        if parts is not None:
            parts[i] = gained


def _check(group: Mapping[str, Array], rules: Mapping[str, Rule], rows: int) -> None:
    """Refuses the first bad element, by index and then by argument, as the compiled kernel does."""
    refused = {name: rules[name].refused(column).reshape(-1) for name, column in group.items()}
    bad = [(int(np.argmax(each > 0)), place, name) for place, (name, each) in enumerate(refused.items()) if each.any()]
    if bad:
        index, _, name = min(bad)
        raise _refusal(name, Reason(int(refused[name][index])), index, group, rows)
