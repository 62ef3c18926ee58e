"""The thread of revaluations: slices, turns, silence, and who is told what."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from crossrate.kernel.faults import ArgumentError
from crossrate.kernel.revalue import Markets, Scenarios, profit
from services.risk.domain.book import Groups
from services.risk.domain.refusal import Refused
from services.risk.worker import Revaluation, Worker
from tests.unit.risk.books import EURUSD, GBPUSD, USDJPY, book

PAIRS = (EURUSD, USDJPY, GBPUSD)
MARKETS = Markets(np.array([1.1, 150.0, 1.3]), np.array([1.0, 1 / 150, 1.0]))

BOOK = book(5, pairs=PAIRS, market=[2, 0, 2, 0, 0], kind=[0, 1, 2, 1, 2], strike=[1.3, 1.1, 1.2, 1.0, 1.1])
"""On the first and the last pair, out of order."""


@pytest.fixture
def worker() -> Iterator[Worker]:
    """Slices of the narrowest kind, and no patience."""
    made = Worker(1, 1, 0.02)
    yield made
    made.close()


def moves(count: int = 200) -> Scenarios:
    """Moves of the three pairs."""
    return Scenarios(np.random.default_rng(3).normal(0, 0.01, (3, count)))


def work(count: int = 200, *, by_market: bool = False, scenarios: Scenarios | None = None) -> Revaluation:
    """The book in some scenarios."""
    return Revaluation(BOOK, MARKETS, scenarios or moves(count), by_market=by_market)


async def test_slices_make_the_whole_to_the_bit(worker: Worker) -> None:
    """What is done is told after each; neither slices nor the wish for the markets' parts change a bit of a profit,
    which is the kernel's for the whole book up to the order of the sum."""
    sliced, whole = work(by_market=True), work()
    assert [done async for done in worker.steps(sliced)] == [64, 128, 192, 200]
    whole.slice(0, 200, 2)
    assert np.array_equal(sliced.profit, whole.profit)
    assert whole.parts is None
    own, parts = profit(BOOK.positions, MARKETS, moves(), contributions=True)
    assert np.allclose(whole.profit, own, rtol=0, atol=1e-8)
    assert np.allclose(sliced.parts[0], parts[[1, 3, 4]].sum(axis=0), rtol=0, atol=1e-8)
    assert not sliced.parts[1].any()
    assert np.allclose(sliced.parts[2], parts[[0, 2]].sum(axis=0), rtol=0, atol=1e-8)


async def test_candidates_are_beside_the_book(worker: Worker) -> None:
    """Their profits are not in the book's, nor in its markets' parts; the same book goes into other scenarios."""
    groups = Groups.of(np.array([0, 1, 0, 2, 1]), 5)
    split = Revaluation(BOOK, MARKETS, moves(), by_market=True, groups=groups)
    await worker.all(split)
    _, parts = profit(BOOK.positions, MARKETS, moves(), contributions=True)
    assert np.allclose(split.profit, parts[[0, 2]].sum(axis=0), rtol=0, atol=1e-8)
    assert np.allclose(split.candidates, [parts[[1, 4]].sum(axis=0), parts[3]], rtol=0, atol=1e-8)
    assert np.array_equal(split.parts.sum(axis=0), split.profit)
    again = split.anew(moves(70))
    await worker.all(again)
    assert (again.total, len(again.profit), split.total) == (70, 70, 200)
    assert worker.needed_s(1e30) > 1e6


def test_lists_of_candidates_have_all_numbers() -> None:
    """One for each position, from 1 without a gap; none at all is a book alone."""
    assert Groups.of(np.zeros(0), 3).count == 1
    with pytest.raises(Refused, match=r"candidate: has a list 3 and no list 1"):
        Groups.of(np.array([0, 2, 3]), 3)
    with pytest.raises(Refused, match=r"candidate: has 2 elements for 3 positions"):
        Groups.of(np.array([0, 1]), 3)


async def test_a_refused_position_has_its_place_in_the_book(worker: Worker) -> None:
    """The index counts all positions, not those of its market."""
    bad = replace(BOOK, positions=replace(BOOK.positions, strike=np.array([1.3, 1.1, 1.2, -1.0, 1.1])))
    with pytest.raises(ArgumentError) as caught:
        await worker.all(Revaluation(bad, MARKETS, moves(), by_market=False))
    assert (caught.value.argument, caught.value.index) == ("strike", 3)


def test_a_slice_holds_whole_blocks() -> None:
    """Five positions: a slice is never finer than the narrowest, and a multiple of the block."""
    assert work().width(1) == 64
    assert work().width(1_000) == 192
    assert work().width(5 * 700) == 640


async def test_a_refused_element_has_its_place_among_all(worker: Worker) -> None:
    """The index counts scenarios of the request, not of the slice."""
    shifts = moves()
    shifts.spot_return[2, 130] = np.nan
    with pytest.raises(ArgumentError) as caught:
        await worker.all(work(scenarios=shifts))
    assert (caught.value.argument, caught.value.index) == ("spot_return", (2, 130))


async def test_silence_is_told_and_who_leaves_is_not_valued(worker: Worker) -> None:
    """While the thread is held up the number done is repeated; what is cancelled meanwhile never begins."""
    held = threading.Event()
    loop, thread = asyncio.get_running_loop(), worker._executor
    holding = loop.run_in_executor(thread, held.wait, 60)
    steps = worker.steps(work())
    assert [await anext(steps), await anext(steps)] == [0, 0]
    await steps.aclose()
    cancelled = asyncio.create_task(worker.all(work()))
    await asyncio.sleep(0.01)
    assert await asyncio.wait_for(worker.aside(lambda: 7), 60) == 7  # what is not a slice waits for none
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    held.set()
    assert await holding
    await loop.run_in_executor(thread, lambda: None)
    assert worker.slices == 0


async def test_calculations_take_turns(worker: Worker) -> None:
    """A short one that comes later is through before a long one that came first."""
    order: list[str] = []

    async def run(name: str, count: int) -> None:
        await worker.all(work(count))
        order.append(name)

    await asyncio.gather(run("long", 6_400), run("short", 64))
    assert order == ["short", "long"]
