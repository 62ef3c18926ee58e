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
from crossrate.kernel.revalue import BLOCK, MARKET_RULES, Markets, Positions, Scenarios, profit
from services.risk.domain.book import Book

Array = NDArray[np.float64]
P = ParamSpec("P")
T = TypeVar("T")

NARROWEST = 64
"""Scenarios of the narrowest slice: below that the way into the kernel begins to count."""


class Revaluation:
    """One book in many scenarios, valued slice by slice and in a slice market by market.

    The profit of the book is the sum of its markets' profits, in their order, whether these are wanted or not: so the
    same bits come out either way, and no table of positions × scenarios is needed.

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
        self._count = book.count
        self._scenarios = scenarios
        self.total = scenarios.spot_return.shape[1]
        self.profit: Array = np.full(self.total, np.nan)
        self.parts: Array | None = np.full((len(book.pairs), self.total), np.nan) if by_market else None
        self._held: list[tuple[int, NDArray[np.int64], Positions, Markets]] = []
        for row in range(len(book.pairs)):
            places = np.flatnonzero(book.positions.market == row)
            if not len(places):
                continue
            own = {each.name: getattr(book.positions, each.name)[places] for each in fields(Positions)}
            pair = Markets(markets.spot[row : row + 1], markets.conversion[row : row + 1])
            self._held.append((row, places, Positions(**own | {"market": 0}), pair))

    def width(self, cells: int) -> int:
        """Scenarios of a slice of some `cells` prices: whole blocks of the kernel if it holds several of them."""
        width = max(cells // self._count, NARROWEST)
        return width // BLOCK * BLOCK if width > BLOCK else width

    def slice(self, start: int, stop: int, threads: int) -> None:
        """Values the book in the scenarios from `start` to before `stop`.

        Raises:
            ArgumentError: the kernel refuses an element; the index counts among all positions, markets and scenarios.
        """
        total = np.zeros(stop - start)
        if self.parts is not None:
            self.parts[:, start:stop] = 0.0
        for row, places, positions, pair in self._held:
            whole = {each.name: getattr(self._scenarios, each.name) for each in fields(Scenarios)}
            cut = {name: None if each is None else each[row : row + 1, start:stop] for name, each in whole.items()}
            try:
                found = profit(positions, pair, Scenarios(**cut), threads=threads)
            except ArgumentError as error:
                raise _placed(error, row, places, start) from None
            total += found
            if self.parts is not None:
                self.parts[row, start:stop] = found
        self.profit[start:stop] = total


def _placed(error: ArgumentError, row: int, places: NDArray[np.int64], start: int) -> ArgumentError:
    """The error with the index that the element has in the request: it was found in one market and one slice."""
    index = error.index
    if isinstance(index, tuple):
        index = (row, start + index[1])
    elif isinstance(index, int):
        index = row if error.argument in MARKET_RULES else int(places[index])
    return ArgumentError(error.argument, index, error.reason, error.value, error.says)


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
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="risk-beside")
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
        """Runs what comes before and after the slices in a thread of its own, so that it does not wait for slices."""
        return await asyncio.get_running_loop().run_in_executor(self._beside, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Ends the threads when they have finished what they do."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._beside.shutdown(wait=False, cancel_futures=True)

    def _slice(self, work: Revaluation, start: int, stop: int) -> None:
        self.slices += 1
        work.slice(start, stop, self._threads)
