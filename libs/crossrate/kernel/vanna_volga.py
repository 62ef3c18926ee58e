"""Vanna-Volga: a smile from three points.

Castagna and Mercurio (2007), "The vanna-volga method for implied volatilities".
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from crossrate.kernel.domain import LEVEL, SMILE_TIME, SMILE_VOLATILITY, Codes
from crossrate.kernel.faults import ShapeError
from crossrate.kernel.front import Elementwise, numbers
from crossrate.kernel.reference import vanna_volga as reference


class Order(IntEnum):
    """Which of the two formulas: the second-order one is nearer to the exact vanna-volga price."""

    FIRST = 0
    SECOND = 1


_VOLATILITY = Elementwise(
    "xr_vanna_volga_volatility",
    {
        "order": Codes(2, "it must be 0 for the first-order or 1 for the second-order formula (Order)"),
        "forward": LEVEL,
        "time": SMILE_TIME,
        **dict.fromkeys(("strike_low", "strike_middle", "strike_high"), LEVEL),
        **dict.fromkeys(("volatility_low", "volatility_middle", "volatility_high"), SMILE_VOLATILITY),
        "strike": LEVEL,
    },
    ("volatility",),
    reference.volatility,
    blame="strike",
)


def volatility(
    order: Any,
    forward: Any,
    time: Any,
    quoted_strikes: Any,
    quoted_volatilities: Any,
    strike: Any,
    *,
    threads: int = 1,
    with_status: bool = False,
) -> Any:
    """Volatility of a strike from three quoted ones.

    The first-order formula is the parabola in log K through the points; the second-order one adds the volgas. Both go
    through the points. Far from them the first can be negative and the second complex, which is refused;
    `arbitrage.butterfly` says how far a smile can be used.

    Within 1e-14 of the formula in exact arithmetic, as far as a twentieth beyond the outer strikes.

    Args:
        order: an `Order` or its code.
        forward: counter per base.
        time: years to expiry.
        quoted_strikes: (..., 3), counter per base, ascending: put, at the money, call.
        quoted_volatilities: (..., 3), per square root of a year.
        strike: counter per base.
        threads: how many threads share the work.
        with_status: gives an array of reasons too, in place of raising for an element.

    Returns:
        float64, the arguments' shape (that of the quoted arrays without their last axis), per square root of a year;
        with `with_status` a pair of it and uint8 reasons (`Reason`), where an element with a reason is NaN.

    Raises:
        ArgumentError: an element was refused; of strike: INCONSISTENT if the quoted strikes do not ascend, NO_SOLUTION
            if the formula has no value from 1e-6 to 100 there.
        ShapeError: the arrays' shapes differ, or there are not three quotes.
        TypeError: an argument is not numeric or has another dtype.
    """
    columns = []
    for name, value in (("quoted_strikes", quoted_strikes), ("quoted_volatilities", quoted_volatilities)):
        quoted = numbers(name, value)
        if quoted.ndim == 0 or quoted.shape[-1] != 3:
            raise ShapeError(f"{name} has shape {quoted.shape}: its last axis needs three, put to call")
        columns += [quoted[..., each].copy() for each in range(3)]
    found = _VOLATILITY(order, forward, time, *columns, strike, threads=threads, with_status=with_status)
    return found if with_status else found[0]
