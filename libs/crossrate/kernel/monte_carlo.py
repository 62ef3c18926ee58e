"""Prices by simulation, with a control variate and the standard error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.domain import LEVEL, PUT_OR_CALL, RATE, Codes
from crossrate.kernel.draws import columns, source, whole
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError
from crossrate.kernel.front import in_threads, numbers, pointer
from crossrate.kernel.paths import increments, intervals, single
from crossrate.kernel.reference import monte_carlo as reference
from crossrate.kernel.reference.normal import distribution

Array = NDArray[np.float64]
CHUNK = 4096
SAMPLES_MAX = 2**40


class Product(IntEnum):
    """What an option pays on (`enum xr_mc_product` of xr/monte_carlo.h)."""

    EUROPEAN = 0
    ARITHMETIC_ASIAN = 1
    GEOMETRIC_ASIAN = 2


@dataclass(frozen=True)
class Estimate:
    """A simulated price.

    Attributes:
        price: with the control variate; for one unit of base, in counter.
        standard_error: of `price`, in counter. It is 0, and says nothing, where none of the samples paid or all
            did: take more samples, or the analytic price.
        plain_price: the samples' mean, without control.
        plain_standard_error: of `plain_price`.
        control_weight: the regression coefficient of payoff on control.
        samples: paths, or pairs of antithetic paths.
    """

    price: float
    standard_error: float
    plain_price: float
    plain_standard_error: float
    control_weight: float
    samples: int


def price(
    product: Product,
    put_or_call: int,
    spot: float,
    strike: float,
    volatility: Any,
    domestic_rate: float,
    foreign_rate: float,
    times: Any,
    samples: int,
    *,
    seed: int,
    antithetic: bool = True,
    weights: Any = None,
    stream: int = 0,
    threads: int = 1,
) -> Estimate:
    """European and Asian options under geometric Brownian motion.

    The control is, for a European option, the discounted last level; for an arithmetic Asian option, the geometric one
    (Kemna and Vorst 1990); for a geometric Asian option, the discounted average. Its weight is estimated from the
    samples, which leaves a bias of the order of the standard error over the root of the number of samples.

    For its paths the plain price is within 1e-14 of the spot, its standard error within 1e-12 of itself; chance is what
    the standard error says.

    Args:
        product: what is paid on; paid at the last of the times.
        put_or_call: 0 put, 1 call.
        spot: counter per base.
        strike: counter per base.
        volatility: per square root of a year: a number or one for each interval.
        domestic_rate: continuously compounded rate of the counter currency.
        foreign_rate: the same of the base currency.
        times: years to the fixings, ascending, above 0; shape (steps,).
        samples: paths, or pairs of paths if antithetic; from 3.
        seed: 0 to 2**64 - 1.
        antithetic: each sample is the mean over a path and its mirror.
        weights: of the fixings in the average, not negative, summing to 1; None: all alike.
        stream: 0 to 2**32 - 1.
        threads: how many threads share the work; they change no bit.

    Returns:
        The estimate; builds of one rounding class give the same bits.

    Raises:
        ArgumentError: an argument was refused.
        ShapeError: times, volatility and weights do not go together.
        TypeError: an argument is not numeric or has another dtype.
    """
    kind = whole("product", product, 0, len(Product) - 1)
    side = _code("put_or_call", put_or_call, PUT_OR_CALL)
    start, hit = (single(name, value, LEVEL) for name, value in (("spot", spot), ("strike", strike)))
    domestic, carry = _rates(domestic_rate, foreign_rate)
    widths = intervals(times)
    mean, deviation = (each[:, 0] for each in increments(carry, volatility, widths, 1))
    average = _weights(weights, len(widths))
    count = whole("samples", samples, 3, SAMPLES_MAX)
    key, lane = source(seed, stream)
    discount = math.exp(-domestic * float(np.sum(widths)))
    plan = tuple(np.ascontiguousarray(each) for each in (mean, deviation, average))
    option = (kind, side, bool(antithetic), start, hit, discount)
    table = _moments(option, plan, (key, lane), count, threads)
    return _estimate(merged(table), _control(kind, side, start, hit, discount, *plan))


def _moments(
    option: tuple[Any, ...], plan: tuple[Array, ...], draws: tuple[int, int], count: int, threads: int
) -> Array:
    """A row of six moments for each chunk."""
    chunks = -(-count // CHUNK)
    table = np.empty((chunks, 6))

    def compiled(begin: int, end: int) -> int:
        settled = (*option, len(plan[0]), *map(pointer, plan))
        return int(path.lib.xr_mc_moments(end - begin, *settled, *draws, begin, count, columns(table, 6 * begin)))

    def numpy(begin: int, end: int) -> int:
        for chunk in range(begin, end):
            table[chunk] = reference.moments(chunk, *option, plan, *draws, count)
        return 0

    in_threads(numpy if path.is_numpy() else compiled, chunks, threads, quantum=1)
    return table


def _rates(domestic_rate: Any, foreign_rate: Any) -> tuple[float, float]:
    """The domestic rate, and the carry."""
    rates = (("domestic_rate", domestic_rate), ("foreign_rate", foreign_rate))
    domestic, foreign = (single(name, value, RATE) for name, value in rates)
    if abs(domestic - foreign) > RATE.high:
        says = "domestic_rate - foreign_rate must be from -5 to 5"
        raise ArgumentError("domestic_rate", None, Reason.INCONSISTENT, domestic, says)
    return domestic, domestic - foreign


def merged(moments: Array) -> Array:
    """The six moments of all chunks together, in their order (Chan, Golub and LeVeque 1979, equation 1.5).

    Within 1e-14 of the exact sums.
    """
    total = np.zeros(6)
    for chunk in moments:
        count = total[0] + chunk[0]
        gaps = chunk[1:3] - total[1:3]
        products = np.array([gaps[0] * gaps[0], gaps[1] * gaps[1], gaps[0] * gaps[1]])
        total[3:] += chunk[3:] + products * (total[0] * chunk[0] / count)
        total[1:3] += gaps * (chunk[0] / count)
        total[0] = count
    return total


def _estimate(total: Array, expected: float) -> Estimate:
    count, plain, control, yy, xx, yx = (float(each) for each in total)
    weight = yx / xx if xx > 0.0 else 0.0
    rest = max(yy - weight * yx, 0.0)
    return Estimate(
        price=plain - weight * (control - expected),
        standard_error=math.sqrt(rest / (count - 2.0) / count),
        plain_price=plain,
        plain_standard_error=math.sqrt(yy / (count - 1.0) / count),
        control_weight=weight,
        samples=int(count),
    )


def _control(
    product: int, put_or_call: int, spot: float, strike: float, discount: float, mean: Array, dev: Array, average: Array
) -> float:
    """The control's exact expectation: all are of one lognormal variable, exp(centre + spread z)."""
    weight = np.ones(len(mean)) if product == Product.EUROPEAN else np.cumsum(average[::-1])[::-1]
    centre = math.log(spot) + float(weight @ mean)
    spread = math.sqrt(float((weight * dev) @ (weight * dev)))
    forward = math.exp(centre + 0.5 * spread * spread)
    if product != Product.ARITHMETIC_ASIAN:
        return discount * forward
    sign = 1.0 if put_or_call == 1 else -1.0
    d1 = (math.log(forward / strike)) / max(spread, 1e-300) + 0.5 * spread
    tails = distribution(np.array([sign * d1, sign * (d1 - spread)]))
    return discount * sign * float(forward * tails[0] - strike * tails[1])


def _weights(weights: Any, steps: int) -> Array:
    if weights is None:
        return np.full(steps, 1.0 / steps)
    array = numbers("weights", weights)
    if array.shape != (steps,):
        raise ShapeError(f"weights has shape {array.shape}: one for each of the {steps} times is needed")
    wrong = ~(array >= 0.0)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise ArgumentError("weights", at, Reason.OUT_OF_RANGE, array[at].item(), "it must not be negative")
    if abs(float(np.sum(array)) - 1.0) > 1e-9:
        raise ArgumentError("weights", None, Reason.INCONSISTENT, float(np.sum(array)), "the sum must be 1")
    return array


def _code(name: str, value: Any, rule: Codes) -> int:
    array = numbers(name, value, np.int8)
    if array.ndim:
        raise ShapeError(f"{name} has shape {array.shape}: a single number is needed")
    if rule.refused(array):
        raise ArgumentError(name, None, Reason.NOT_A_CODE, array.item(), rule.says)
    return int(array)
