"""The way to the kernel: what arrives in one turn of the loop is one call of it, and what takes long goes to a thread.

A call of the kernel for one option costs microseconds, nearly all of them on the way in; a hundred options cost hardly
more. So a small request leaves its columns here and waits; when every handler that could run in this turn of the loop
has run, one call prices them together. A lone request waits for nothing but the end of its own turn.

Requests of more than `elements_inline_max` options go to one worker thread, in pieces: the kernel releases the GIL, the
loop stays free, several large requests take turns, and a request whose deadline passes is given up between two pieces.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import numpy as np

from crossrate.kernel import vanilla
from crossrate.kernel.faults import ArgumentError
from services.pricing.domain.batch import Columns, joined

P = ParamSpec("P")
T = TypeVar("T")

NOTHING = np.empty(0)


def greeks(columns: Columns) -> vanilla.Greeks:
    """Premiums and sensitivities."""
    return vanilla.greeks(*columns.arrays())


def premiums(columns: Columns) -> vanilla.Greeks:
    """Premiums alone: the sensitivities are empty."""
    return vanilla.Greeks(vanilla.price(*columns.arrays()), *[NOTHING] * (len(vanilla.Greeks.__slots__) - 1))


Compute = Callable[[Columns], vanilla.Greeks]
"""`greeks` or `premiums`."""


@dataclass(slots=True)
class _Waiting:
    columns: Columns
    compute: Compute
    answer: asyncio.Future[vanilla.Greeks]


class KernelQueue:
    """See the module. Made in the running loop; `close` it at the end.

    Args:
        elements_inline_max: options that are priced on the loop in one go.
        elements_piece: options in one piece of a larger request.
    """

    def __init__(self, elements_inline_max: int, elements_piece: int) -> None:
        self.elements_inline_max = elements_inline_max
        self._piece = elements_piece
        self._waiting: list[_Waiting] = []
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="kernel")
        self.calls = 0
        """How many calls of the kernel were made."""

    async def price(self, columns: Columns, compute: Compute = greeks) -> vanilla.Greeks:
        """Prices options.

        Raises:
            ArgumentError: the kernel refuses an element; its index counts within these columns.
        """
        if columns.count > self.elements_inline_max:
            return await self._in_pieces(columns, compute)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(columns, compute, loop.create_future())
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
            total += each.columns.count
            if taken and total > self.elements_inline_max:
                break
            taken += 1
        now, self._waiting = self._waiting[:taken], self._waiting[taken:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        for compute in (greeks, premiums):
            # Whoever was cancelled meanwhile is not priced.
            self._together([each for each in now if each.compute is compute and not each.answer.done()], compute)

    def _together(self, waiting: list[_Waiting], compute: Compute) -> None:
        if len(waiting) > 1:
            try:
                found = self._call(joined([each.columns for each in waiting]), compute)
            except ArgumentError:
                # One of them is refused: each by itself, so that the others do not suffer and the index is its own.
                for each in waiting:
                    self._together([each], compute)
                return
            start = 0
            for each in waiting:
                stop = start + each.columns.count
                part = [getattr(found, name)[start:stop] for name in vanilla.Greeks.__slots__]
                each.answer.set_result(vanilla.Greeks(*part))
                start = stop
        for each in waiting if len(waiting) == 1 else ():
            try:
                each.answer.set_result(self._call(each.columns, compute))
            except Exception as error:  # whatever it is belongs to the one who waits, not to the loop
                each.answer.set_exception(error)

    def _call(self, columns: Columns, compute: Compute) -> vanilla.Greeks:
        self.calls += 1
        return compute(columns)

    async def _in_pieces(self, columns: Columns, compute: Compute) -> vanilla.Greeks:
        names = ("price",) if compute is premiums else vanilla.Greeks.__slots__
        into = {name: np.empty(columns.count) for name in names}

        def piece(start: int, stop: int) -> None:
            try:
                found = self._call(columns.part(start, stop), compute)
            except ArgumentError as error:
                index = start + (error.index if isinstance(error.index, int) else 0)
                raise ArgumentError(error.argument, index, error.reason, error.value, error.says) from None
            for name, values in into.items():
                values[start:stop] = getattr(found, name)

        for start in range(0, columns.count, self._piece):
            await self.aside(piece, start, min(start + self._piece, columns.count))
        return vanilla.Greeks(*(into.get(name, NOTHING) for name in vanilla.Greeks.__slots__))
