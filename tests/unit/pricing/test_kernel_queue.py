"""The way to the kernel: one call for what arrives together, pieces for what is large, and nobody pays for others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from crossrate.kernel import vanilla
from crossrate.kernel.faults import ArgumentError
from services.pricing.domain.formula import Columns, asians
from services.pricing.kernel_queue import KernelQueue, greeks, premiums, volatilities_with_status


def columns(count: int, first: float = 1.0) -> Columns:
    """Calls at ascending strikes."""
    spot, time, volatility, domestic, foreign = (np.full(count, value) for value in (1.1, 1.0, 0.1, 0.03, 0.02))
    strike = first + np.arange(count) * 1e-6
    return np.ones(count, np.int8), spot, strike, time, volatility, domestic, foreign


STRIKE, VOLATILITY = 2, 4
"""Places among the columns."""


@pytest.fixture
def queue() -> Iterator[KernelQueue]:
    """A queue that prices up to a hundred options inline and cuts larger requests into pieces of forty."""
    made = KernelQueue(100, 40)
    yield made
    made.close()


def same(one: Columns, other: Columns) -> bool:
    """Whether two results are equal to the last bit."""
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


async def test_what_arrives_in_one_turn_is_one_call(queue: KernelQueue) -> None:
    """Ten requests of different sizes cost one call, and each gets exactly what it would get alone."""
    asked = [columns(n, 1 + n / 100) for n in range(1, 11)]
    found = await asyncio.gather(*(queue.run(greeks, each) for each in asked))
    assert queue.calls == 1
    assert all(same(each, greeks(*own)) for each, own in zip(found, asked, strict=True))


async def test_what_costs_more_goes_to_the_thread_sooner(queue: KernelQueue) -> None:
    """Thirty Asian options, each as dear as 25 vanillas, are cut into pieces of one; four are priced on the loop."""
    market = columns(30)
    one = np.ones(30)
    asked = (*market[:3], 0.5 * one, market[3], 4 * one, 0 * one, one, *market[4:])
    (found,) = await queue.run(asians, asked)
    assert queue.calls == 30
    assert np.array_equal(found, asians(*asked)[0])
    await queue.run(asians, tuple(each[:4] for each in asked))
    assert queue.calls == 31


async def test_premiums_and_greeks_do_not_mix(queue: KernelQueue) -> None:
    """Who wants premiums alone gets no sensitivities, in the same turn as others who want them."""
    both = await asyncio.gather(queue.run(premiums, columns(3)), queue.run(greeks, columns(3)))
    assert [len(each) for each in both] == [1, len(vanilla.Greeks.__slots__)]
    assert np.array_equal(both[0][0], vanilla.price(*columns(3)))


async def test_a_refused_request_does_not_spoil_its_neighbours(queue: KernelQueue) -> None:
    """The others are priced; the refused one hears of its own index."""
    bad = columns(5)
    bad[STRIKE][3] = -1.0
    found = await asyncio.gather(
        queue.run(greeks, columns(2)), queue.run(greeks, bad), queue.run(greeks, columns(4)), return_exceptions=True
    )
    assert isinstance(found[1], ArgumentError)
    assert (found[1].argument, found[1].index) == ("strike", 3)
    assert same(found[0], greeks(*columns(2)))
    assert same(found[2], greeks(*columns(4)))


async def test_more_than_the_bound_does_not_go_in_one_call(queue: KernelQueue) -> None:
    """Three requests of sixty options are three turns of the loop, since two of them exceed a hundred."""
    found = await asyncio.gather(*(queue.run(greeks, columns(60)) for _ in range(3)))
    assert queue.calls == 3
    assert all(same(each, greeks(*columns(60))) for each in found)


async def test_a_large_request_goes_in_pieces(queue: KernelQueue) -> None:
    """A hundred and one options are pieces of 40, 40 and 21, with the result of one call."""
    found = await queue.run(greeks, columns(101))
    assert queue.calls == 3
    assert same(found, greeks(*columns(101)))
    assert same(await queue.run(premiums, columns(101)), (vanilla.price(*columns(101)),))


async def test_a_refused_element_of_a_large_request_is_named_by_its_place(queue: KernelQueue) -> None:
    """The index counts from the beginning of the request, not of the piece."""
    bad = columns(120)
    bad[VOLATILITY][97] = np.nan
    with pytest.raises(ArgumentError, match=r"volatility\[97\]") as caught:
        await queue.run(greeks, bad)
    assert caught.value.index == 97


async def test_results_of_every_kind_go_through(queue: KernelQueue) -> None:
    """Volatilities and the reasons beside them, inline and in pieces: the premium implies what made it."""
    for count in (5, 101):
        sides, spot, strike, time, volatility, domestic, foreign = columns(count)
        price = vanilla.price(*columns(count))
        price[1] = 1.2
        found, status = await queue.run(volatilities_with_status, (sides, price, spot, strike, time, domestic, foreign))
        assert np.flatnonzero(status).tolist() == np.flatnonzero(np.isnan(found)).tolist() == [1]
        assert np.delete(found, 1) == pytest.approx(np.delete(volatility, 1), rel=1e-9)


async def test_a_request_that_is_given_up_is_not_priced(queue: KernelQueue) -> None:
    """Neither a large one whose next piece waits for the worker, nor a small one that waits for the end of the turn."""
    held = threading.Event()
    worker = asyncio.create_task(queue.aside(held.wait))
    given_up = [asyncio.create_task(queue.run(greeks, columns(count))) for count in (4000, 1)]
    await asyncio.sleep(0)
    for each in given_up:
        each.cancel()
    ended = await asyncio.gather(*given_up, return_exceptions=True)
    # Only now, when what was cancelled is out of the worker's reach, may the worker go on.
    held.set()
    assert all(isinstance(each, asyncio.CancelledError) for each in ended)
    await worker
    await queue.aside(lambda: None)
    assert queue.calls == 0
