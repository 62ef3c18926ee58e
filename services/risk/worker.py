"""The thread in which books are valued: slices of scenarios, so that the loop stays free and calculations take turns.

One calculation of fifty thousand positions in ten thousand scenarios is half a thousand million prices. The kernel
releases the GIL and shares a slice among threads; between two slices other calculations get their turn, and one whose
caller has gone or whose deadline has passed goes no further: at most the slice under way is finished for nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import fields
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import ArgumentError
from crossrate.kernel.revalue import BLOCK, MARKET_RULES, Markets, Positions, Scenarios, profit
from services.risk.domain.book import Book, Groups

Array = NDArray[np.float64]
P = ParamSpec("P")
T = TypeVar("T")

NARROWEST = 64
"""Scenarios of the narrowest slice, a block of the kernel: below that the way into it begins to count."""


class Revaluation:
    """One book in many scenarios, valued slice by slice and in a slice market by market.

    The profit of the book is the sum of its markets' profits, in their order, whether these are wanted or not: so the
    same bits come out either way, and no table of positions × scenarios is needed.

    Args:
        book: the book.
        markets: its pairs today.
        scenarios: of shape (markets, scenarios).
        by_market: whether the parts of the markets are wanted.
        groups: which positions are candidates and not of the book; None: none are.

    Attributes:
        total: how many scenarios.
        profit: shape (scenarios,); what is not done yet is NaN.
        parts: shape (markets, scenarios), None if not wanted.
        candidates: of each list of candidates alone, shape (lists, scenarios).
    """

    def __init__(
        self, book: Book, markets: Markets, scenarios: Scenarios, *, by_market: bool, groups: Groups | None = None
    ) -> None:
        self._count = book.count
        self._rows = len(book.pairs)
        self._lists = groups.count - 1 if groups else 0
        self._by_market = by_market
        self._held: list[tuple[int, int, NDArray[np.int64], Positions, Markets]] = []
        cell = book.positions.market + (groups.place * self._rows if groups else 0)
        order = np.argsort(cell, kind="stable")
        filled, first = np.unique(cell[order], return_index=True)
        for key, places in zip(filled.tolist(), np.split(order, first[1:]), strict=True):
            group, row = divmod(key, self._rows)
            own = {each.name: getattr(book.positions, each.name)[places] for each in fields(Positions)}
            pair = Markets(markets.spot[row : row + 1], markets.conversion[row : row + 1])
            self._held.append((group, row, places, Positions(**own | {"market": 0}), pair))
        self._begin(scenarios)

    def _begin(self, scenarios: Scenarios) -> None:
        self._scenarios = scenarios
        self.total = scenarios.spot_return.shape[1]
        self.profit: Array = np.full(self.total, np.nan)
        self.parts: Array | None = np.full((self._rows, self.total), np.nan) if self._by_market else None
        self.candidates: Array = np.full((self._lists, self.total), np.nan)

    def anew(self, scenarios: Scenarios) -> Revaluation:
        """The same book in other scenarios."""
        other = copy(self)
        other._begin(scenarios)
        return other

    @property
    def cells(self) -> int:
        """Positions times scenarios."""
        return self._count * self.total

    def width(self, cells: int) -> int:
        """Scenarios of a slice of some `cells` prices: whole blocks of the kernel."""
        return max(cells // self._count, NARROWEST) // BLOCK * BLOCK

    def slice(self, start: int, stop: int, threads: int) -> None:
        """Values the book in the scenarios from `start` to before `stop`.

        Raises:
            ArgumentError: the kernel refuses an element; the index counts among all positions, markets and scenarios.
        """
        sums = np.zeros((1 + self._lists, stop - start))
        if self.parts is not None:
            self.parts[:, start:stop] = 0.0
        for group, row, places, positions, pair in self._held:
            whole = {each.name: getattr(self._scenarios, each.name) for each in fields(Scenarios)}
            cut = {name: None if each is None else each[row : row + 1, start:stop] for name, each in whole.items()}
            try:
                found = profit(positions, pair, Scenarios(**cut), threads=threads)
            except ArgumentError as error:
                raise _placed(error, row, places, start) from None
            sums[group] += found
            if self.parts is not None and not group:
                self.parts[row, start:stop] = found
        self.profit[start:stop], self.candidates[:, start:stop] = sums[0], sums[1:]


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
        self._cells_per_s = 0.0

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

    def needed_s(self, cells: float) -> float:
        """The least time that so many prices take, at the best rate that was ever seen here; 0 before the first."""
        return cells / self._cells_per_s if self._cells_per_s else 0.0

    async def turn(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs something as one slice, in turn with those of others."""

        def run() -> T:
            self.slices += 1
            return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._executor, run)

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
        begun = time.perf_counter()
        work.slice(start, stop, self._threads)
        rate = (stop - start) * work.cells / work.total / max(time.perf_counter() - begun, 1e-9)
        self._cells_per_s = max(self._cells_per_s, rate)
