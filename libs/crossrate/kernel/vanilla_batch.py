"""Vanilla options in arrays that are taken once, for callers that price a few options very often."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.faults import ArgumentError, Reason
from crossrate.kernel.front import Elementwise, pointer
from crossrate.kernel.vanilla import _GREEKS, _PRICE, MARKET, Greeks

CAPACITY_MAX = 1_000_000


def _to_the_front(_arrays: Any, _count: int) -> int:
    """What stands for the C functions where the numpy twins serve: never done, so that the front is asked."""
    return 1


class Batch:
    """Fill the first elements of `inputs`, call `price` or `greeks` with their number, read `outputs`.

    Passing arrays to C costs more than pricing one option; here their addresses are taken once. One batch serves one
    thread at a time, on the build that was current when it was made. Write into its arrays, do not replace them.

    Attributes:
        inputs: arrays by the names of `vanilla.MARKET`, `put_or_call` int8, the others float64.
        outputs: float64 arrays by the names of `vanilla.Greeks`; NaN until they are computed.

    Args:
        capacity: the arrays' length, 1 to 1,000,000.

    Raises:
        ArgumentError: the capacity is out of its range.
    """

    __slots__ = ("_arrays", "_capacity", "_greeks", "_price", "inputs", "outputs")

    def __init__(self, capacity: int):
        if not 1 <= capacity <= CAPACITY_MAX:
            raise ArgumentError("capacity", None, Reason.OUT_OF_RANGE, capacity, f"it must be from 1 to {CAPACITY_MAX}")
        self._capacity = capacity
        self.inputs: dict[str, NDArray[Any]] = {
            name: np.zeros(capacity, np.int8 if name == "put_or_call" else np.float64) for name in MARKET
        }
        self.outputs = {name: np.full(capacity, np.nan) for name in Greeks.__slots__}
        self._arrays = None
        self._price = self._greeks = _to_the_front
        if not path.is_numpy():
            self._arrays = path.ffi.new("xr_vanilla_arrays *", {"capacity": capacity})
            for name, array in (self.inputs | self.outputs).items():
                setattr(self._arrays, name, pointer(array))
            self._price, self._greeks = path.lib.xr_vanilla_price_of, path.lib.xr_vanilla_greeks_of

    def price(self, count: int) -> None:
        """Computes the first `count` premiums.

        Raises:
            ArgumentError: an element was refused, or `count` is not from 0 to the capacity.
        """
        if self._price(self._arrays, count):
            self._slowly(_PRICE, count)

    def greeks(self, count: int) -> None:
        """Computes the first `count` premiums and Greeks; raises as `price` does."""
        if self._greeks(self._arrays, count):
            self._slowly(_GREEKS, count)

    def _slowly(self, function: Elementwise, count: int) -> None:
        """The same through the front, which says what is wrong."""
        if not 0 <= count <= self._capacity:
            says = f"it must be from 0 to the capacity, {self._capacity}"
            raise ArgumentError("count", None, Reason.OUT_OF_RANGE, count, says)
        results = function(*(each[:count] for each in self.inputs.values()))
        for name, result in zip(function.outputs, results, strict=True):
            self.outputs[name][:count] = result
