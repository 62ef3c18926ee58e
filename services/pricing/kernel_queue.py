"""The way to the kernel: what arrives in one turn of the loop is one call of it, and what takes long goes to a thread.

A call of the kernel for one option costs microseconds, nearly all of them on the way in; a hundred options cost hardly
more. So a small request leaves its columns here and waits; when every handler that could run in this turn of the loop
has run, one call prices them together. A lone request waits for nothing but the end of its own turn.

Requests that cost more than `elements_inline_max` European options go to one worker thread, in pieces: the kernel
releases the GIL, the loop stays free, several large requests take turns, and a request whose deadline passes is given
up between two pieces. What an exotic option costs is in `domain.formula`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import implied, vanilla
from crossrate.kernel.faults import ArgumentError
from services.pricing.domain.formula import WEIGHTS, Columns

P = ParamSpec("P")
T = TypeVar("T")

Function = Callable[..., Columns]
"""One of the functions below, or of `domain.formula`."""


def greeks(*columns: NDArray) -> Columns:
    """Premiums and sensitivities, in the order of `vanilla.Greeks`."""
    found = vanilla.greeks(*columns)
    return tuple(getattr(found, name) for name in vanilla.Greeks.__slots__)


def premiums(*columns: NDArray) -> Columns:
    """Premiums alone."""
    return (vanilla.price(*columns),)


def volatilities(*columns: NDArray) -> Columns:
    """Implied volatilities; one that does not exist is refused."""
    return (implied.volatility(*columns),)


def volatilities_with_status(*columns: NDArray) -> Columns:
    """Implied volatilities, and a `Reason` for each: NaN where it is not OK."""
    return implied.volatility_with_status(*columns)


@dataclass(slots=True)
class _Waiting:
    function: Function
    columns: Columns
    answer: asyncio.Future[Columns]

    @property
    def count(self) -> int:
        return len(self.columns[0])

    @property
    def cost(self) -> int:
        return cost(self.function, self.count)


def cost(function: Function, count: int) -> int:
    """What a number of a function's elements cost, in European options with their Greeks."""
    return count * WEIGHTS.get(function, 1)


class KernelQueue:
    """See the module. Made in the running loop; `close` it at the end.

    Args:
        elements_inline_max: European options that are priced on the loop in one go, and what costs as much.
        elements_piece: the same in one piece of a larger request.
    """

    def __init__(self, elements_inline_max: int, elements_piece: int) -> None:
        self.elements_inline_max = elements_inline_max
        self._piece = elements_piece
        self._waiting: list[_Waiting] = []
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="kernel")
        self.calls = 0
        """How many calls of the kernel were made."""

    async def run(self, function: Function, columns: Columns) -> Columns:
        """The function's results for these columns.

        Raises:
            ArgumentError: the kernel refuses an element; its index counts within these columns.
        """
        if cost(function, len(columns[0])) > self.elements_inline_max:
            return await self._in_pieces(function, columns)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(function, columns, loop.create_future())
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append(waiting)
        return await waiting.answer

    async def aside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs other work of a large request in the worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Ends the worker when it has finished its piece."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _flush(self) -> None:
        taken, total = 0, 0
        for each in self._waiting:
            total += each.cost
            if taken and total > self.elements_inline_max:
                break
            taken += 1
        now, self._waiting = self._waiting[:taken], self._waiting[taken:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        for function in dict.fromkeys(each.function for each in now):
            # Whoever was cancelled meanwhile is not priced.
            self._together(function, [each for each in now if each.function is function and not each.answer.done()])

    def _together(self, function: Function, waiting: list[_Waiting]) -> None:
        if len(waiting) > 1:
            try:
                whole = [np.concatenate(each) for each in zip(*(one.columns for one in waiting), strict=True)]
                found = self._call(function, whole)
            except ArgumentError:
                # One of them is refused: each by itself, so that the others do not suffer and the index is its own.
                for each in waiting:
                    self._together(function, [each])
                return
            start = 0
            for each in waiting:
                stop = start + each.count
                each.answer.set_result(tuple(column[start:stop] for column in found))
                start = stop
        for each in waiting if len(waiting) == 1 else ():
            try:
                each.answer.set_result(self._call(function, each.columns))
            except Exception as error:  # whatever it is belongs to the one who waits, not to the loop
                each.answer.set_exception(error)

    def _call(self, function: Function, columns: Columns | list[NDArray]) -> Columns:
        self.calls += 1
        return function(*columns)

    async def _in_pieces(self, function: Function, columns: Columns) -> Columns:
        count, size = len(columns[0]), max(1, self._piece // cost(function, 1))
        into: list[NDArray] = []

        def piece(start: int, stop: int) -> None:
            try:
                found = self._call(function, [each[start:stop] for each in columns])
            except ArgumentError as error:
                index = start + (error.index if isinstance(error.index, int) else 0)
                raise ArgumentError(error.argument, index, error.reason, error.value, error.says) from None
            if not into:
                into.extend(np.empty(count, each.dtype) for each in found)
            for whole, part in zip(into, found, strict=True):
                whole[start:stop] = part

        for start in range(0, count, size):
            await self.aside(piece, start, min(start + size, count))
        return tuple(into)
