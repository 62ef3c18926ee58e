"""The thread in which books are valued: slices of scenarios, so that the loop stays free and calculations take turns.

One calculation of fifty thousand positions in ten thousand scenarios is half a thousand million prices. The kernel
releases the GIL and shares a slice among threads; between two slices other calculations get their turn, and one whose
caller has gone or whose deadline has passed goes no further: at most the slice under way is finished for nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import ArgumentError
from crossrate.kernel.revalue import BLOCK, Markets, Scenarios, profit
from services.risk.domain.book import Book

Array = NDArray[np.float64]
P = ParamSpec("P")
T = TypeVar("T")

NARROWEST = 64
"""Scenarios of the narrowest slice: below that the way into the kernel begins to count."""


class Revaluation:
    """One book in many scenarios, valued slice by slice.

    Args:
        book: the book.
        markets: its pairs today.
        scenarios: of shape (markets, scenarios).
        by_market: whether the parts of the markets are wanted.

    Attributes:
        total: how many scenarios.
        profit: shape (scenarios,); what is not done yet is NaN.
        parts: shape (markets, scenarios), None if not wanted.
    """

    def __init__(self, book: Book, markets: Markets, scenarios: Scenarios, *, by_market: bool) -> None:
        self._book = book
        self._markets = markets
        self._scenarios = scenarios
        self.total = scenarios.spot_return.shape[1]
        self.profit: Array = np.full(self.total, np.nan)
        self.parts: Array | None = np.full((len(book.pairs), self.total), np.nan) if by_market else None
        order = np.argsort(book.positions.market, kind="stable")
        held, starts = np.unique(book.positions.market[order], return_index=True)
        self._order, self._held, self._starts = order, held, starts

    def width(self, cells: int) -> int:
        """Scenarios of a slice of some `cells` prices: whole blocks of the kernel if it holds several of them."""
        width = max(cells // self._book.count, NARROWEST)
        return width // BLOCK * BLOCK if width > BLOCK else width

    def slice(self, start: int, stop: int, threads: int) -> None:
        """Values the book in the scenarios from `start` to before `stop`.

        Raises:
            ArgumentError: the kernel refuses an element; the index counts among all scenarios.
        """
        whole = ((field.name, getattr(self._scenarios, field.name)) for field in fields(Scenarios))
        cut = Scenarios(**{name: None if each is None else each[:, start:stop] for name, each in whole})
        wanted = self.parts is not None
        try:
            found = profit(self._book.positions, self._markets, cut, threads=threads, contributions=wanted)
        except ArgumentError as error:
            if not isinstance(error.index, tuple):
                raise
            row, column = error.index
            raise ArgumentError(error.argument, (row, start + column), error.reason, error.value, error.says) from None
        if self.parts is None:
            self.profit[start:stop] = found
            return
        self.profit[start:stop], each = found
        self.parts[:, start:stop] = 0.0
        self.parts[self._held, start:stop] = np.add.reduceat(each[self._order], self._starts, axis=0)


class Worker:
    """See the module. Made in the running loop; `close` it at the end.

    Args:
        threads: how many share a slice.
        cells: prices of one slice, more or less.
        silence_s: after how many seconds without a finished slice `steps` says so.
    """

    def __init__(self, threads: int, cells: int, silence_s: float) -> None:
        self._threads = threads
        self._cells = cells
        self._silence_s = silence_s
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="risk")
        self.slices = 0
        """How many slices were valued."""

    async def steps(self, work: Revaluation) -> AsyncIterator[int]:
        """Values all scenarios, and yields how many are done: after each slice, and the same number after a silence.

        Raises:
            ArgumentError: as `Revaluation.slice`.
        """
        width = work.width(self._cells)
        for start in range(0, work.total, width):
            stop = min(start + width, work.total)
            running = asyncio.get_running_loop().run_in_executor(self._executor, self._slice, work, start, stop)
            try:
                while not (await asyncio.wait({running}, timeout=self._silence_s))[0]:
                    yield start
            finally:
                # A slice that still waits for its turn is taken out; one under way is finished for nothing.
                running.cancel()
            running.result()
            yield stop

    async def all(self, work: Revaluation) -> None:
        """Values all scenarios; raises as `steps`."""
        async for _ in self.steps(work):
            pass

    async def aside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs something else that takes long in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Ends the thread when it has finished its slice."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _slice(self, work: Revaluation, start: int, stop: int) -> None:
        self.slices += 1
        work.slice(start, stop, self._threads)
