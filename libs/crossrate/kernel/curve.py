"""Discount curves: discount factors, zero rates and forward rates of many curves at many times.

Times are years from the date at which every curve's discount factor is 1; calendars and day counts are the caller's.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.domain import INTERPOLATION, LEVEL, SPAN, TIME, Codes, Rule
from crossrate.kernel.faults import Reason, unpack
from crossrate.kernel.front import common_shape, in_threads, moved, numbers
from crossrate.kernel.ragged import call, explain, offsets_of, repeated, same_length, vector
from crossrate.kernel.reference import curve as reference

Array = NDArray[np.float64]


class Interpolation(IntEnum):
    """How the logarithm of the discount factor runs between knots.

    LOG_LINEAR is straight: forward rates are constant between knots. Both others have continuous forward rates, and
    discount factors that fall from knot to knot fall everywhere, so that no forward rate is negative: MONOTONE_CUBIC
    takes its slopes from neighbours alone (Fritsch and Butland 1984, inside of Fritsch and Carlson's region of 1980), a
    knot moves two spans on either side; MONOTONE_SPLINE is the natural cubic spline, its slopes limited as by Hyman
    (1983, equation 2.6). Where discount factors turn at a knot, the forward rate there is 0.
    """

    LOG_LINEAR = 0
    MONOTONE_CUBIC = 1
    MONOTONE_SPLINE = 2


_SAYS = {
    Reason.NOT_ASCENDING: "it must be later by at least 1e-6 years (half a minute) than the one before",
    Reason.NO_SOLUTION: "the discount factor there leaves 1e-60 to 1e60: end the curve with a later knot",
}


class Curves:
    """One or many discount curves, ready to be read; nothing changes after construction.

    Args:
        times: knots in years, float64 of one dimension, all curves' one after the other; ascending within a curve by at
            least 1e-6, from 1e-6 to 100. The discount factor 1 at time 0 is implied.
        discounts: the discount factor of each knot, positive (from 1e-60 to 1e60; above 1 where rates are negative).
        offsets: where curves begin and end, one more than there are curves; None is one curve.
        interpolation: one for all curves, or one for each.

    Raises:
        ArgumentError: a knot or an offset was refused; names argument and index.
        ShapeError: `times` and `discounts` differ in length.
        TypeError: an argument is not numeric or has another dtype.
    """

    def __init__(
        self, times: Any, discounts: Any, offsets: Any = None, interpolation: Any = Interpolation.LOG_LINEAR
    ) -> None:
        self.times: Array = vector("times", times).copy()
        self.discounts: Array = vector("discounts", discounts).copy()
        count = same_length(times=self.times, discounts=self.discounts)
        self.offsets = offsets_of(offsets, count)
        size = self.offsets.size - 1
        self.interpolation = repeated("interpolation", interpolation, size, np.int8, "curves")
        self._start = np.empty(count + size)
        self._table = np.empty((count + size, 4))
        inputs = (self.offsets, self.times, self.discounts, self.interpolation)
        if path.is_numpy():
            fault = reference.prepare(*inputs, self._start, self._table)
        else:
            fault = call("xr_curve_prepare", size, (*inputs, self._start, self._table))
        if fault:
            arguments: dict[str, tuple[NDArray[Any], Rule | None]] = {
                "offsets": (self.offsets, None),
                "times": (self.times, SPAN),
                "discounts": (self.discounts, LEVEL),
                "interpolation": (self.interpolation, INTERPOLATION),
            }
            raise explain(fault, arguments, _SAYS)
        for each in (self.times, self.discounts):
            each.setflags(write=False)

    def __len__(self) -> int:
        return self.offsets.size - 1

    @property
    def pieces(self) -> tuple[Array, Array]:
        """Where pieces begin, and four coefficients of each, as xr_curve_prepare has them; for the kernel's modules."""
        return self._start, self._table

    def discount(self, time: Any, curve: Any = 0, *, threads: int = 1) -> Array:
        """Discount factors.

        Args:
            time: years, 0 to 100. After a curve's last knot the instantaneous forward rate stays as it is there.
            curve: which curve, from 0.
            threads: how many threads share the work.

        Returns:
            float64, the arguments' shape; within 1e-15 × max(1, |log D|) relative of the exact value.

        Raises:
            ArgumentError: an element was refused, or the discount factor leaves 1e-60 to 1e60; names argument and
                index.
            ShapeError: the arrays' shapes differ.
            TypeError: an argument is not numeric or has another dtype.
        """
        return self._read(time, curve, threads, 0)

    def zero_rate(self, time: Any, curve: Any = 0, *, threads: int = 1) -> Array:
        """Continuously compounded zero rates, −log D(t) / t; at time 0 the limit. Else as `discount`.

        Within 1e-15 for rates below one.
        """
        return self._read(time, curve, threads, 1)

    def instantaneous_forward(self, time: Any, curve: Any = 0, *, threads: int = 1) -> Array:
        """Instantaneous forward rates, −d log D / dt; at a knot that of the span which begins there.

        Arguments and errors as `discount`.

        Within 1e-15 for rates below one.
        """
        return self._read(time, curve, threads, 2)

    def forward_rate(self, start: Any, end: Any, curve: Any = 0, *, threads: int = 1) -> Array:
        """Continuously compounded forward rates, log(D(start) / D(end)) / (end − start).

        Within 1e-15 × max(1, |log D|) / (end − start).

        Args:
            start, end: years, 0 to 100; `end` is later by at least 1e-6.
            curve: which curve, from 0.
            threads: how many threads share the work.

        Raises:
            ArgumentError: an element was refused; names argument and index.
            ShapeError: the arrays' shapes differ.
            TypeError: an argument is not numeric or has another dtype.
        """
        return self._forward(start, end, 1.0, curve, threads, 0)

    def simple_rate(self, start: Any, end: Any, accrual: Any, curve: Any = 0, *, threads: int = 1) -> Array:
        """Simple forward rates, (D(start) / D(end) − 1) / accrual; `accrual` is the period's year fraction.

        Other arguments and errors as `forward_rate`.

        Within 1e-15 × max(1, |log D|) / accrual, for periods of a year and less.
        """
        return self._forward(start, end, accrual, curve, threads, 1)

    def _read(self, time: Any, curve: Any, threads: int, which: int) -> Array:
        given = {"curve": numbers("curve", curve, np.int64), "time": numbers("time", time)}
        rules: dict[str, Rule] = {"curve": self._rule(), "time": TIME}
        shape = common_shape(given)
        flat = _flat(given, shape)
        output = np.empty(flat["time"].size)

        def work(low: int, high: int) -> int:
            inputs = [each[low:high] for each in flat.values()]
            slots = [output[low:high] if which == place else None for place in range(3)]
            if path.is_numpy():
                found = reference.read(*inputs, self.offsets, self._start, self._table, tuple(slots), None)
            else:
                curves = (len(self), self.offsets, self._start, self._table)
                found = call("xr_curve_read", high - low, (*inputs, *curves, *slots, None))
            return moved(found, low)

        self._run(work, flat, shape, rules, threads)
        return output.reshape(shape)

    def _forward(self, start: Any, end: Any, accrual: Any, curve: Any, threads: int, which: int) -> Array:
        given = {
            "curve": numbers("curve", curve, np.int64),
            "start": numbers("start", start),
            "end": numbers("end", end),
            "accrual": numbers("accrual", accrual),
        }
        rules: dict[str, Rule] = {"curve": self._rule(), "start": TIME, "end": TIME, "accrual": SPAN}
        shape = common_shape(given)
        flat = _flat(given, shape)
        output = np.empty(flat["end"].size)

        def work(low: int, high: int) -> int:
            inputs = [each[low:high] for each in flat.values()]
            slots = [output[low:high] if which == place else None for place in range(2)]
            if path.is_numpy():
                found = reference.forward_rate(*inputs, self.offsets, self._start, self._table, tuple(slots), None)
            else:
                curves = (len(self), self.offsets, self._start, self._table)
                found = call("xr_curve_forward_rate", high - low, (*inputs, *curves, *slots, None))
            return moved(found, low)

        self._run(work, flat, shape, rules, threads)
        return output.reshape(shape)

    def _rule(self) -> Codes:
        return Codes(len(self), f"it must be a curve's place, from 0 to {len(self) - 1}")

    def _run(
        self, work: Any, flat: dict[str, NDArray[Any]], shape: tuple[int, ...], rules: dict[str, Rule], threads: int
    ) -> None:
        fault = in_threads(work, next(iter(flat.values())).size, threads)
        if not fault:
            return
        says = dict(_SAYS)
        if unpack(fault)[0] == Reason.NOT_ASCENDING:
            says[Reason.NOT_ASCENDING] = "it must be later than start by at least 1e-6 years"
        raise explain(fault, {name: (flat[name], rules[name]) for name in flat}, says, shape)


def _flat(given: dict[str, NDArray[Any]], shape: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    count = int(np.prod(shape, dtype=np.int64))
    return {
        name: value.reshape(-1) if value.ndim else np.full(count, value[()], value.dtype)
        for name, value in given.items()
    }
