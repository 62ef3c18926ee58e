"""What tests wait for ends, or is named."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.ending import ended, joined, within


async def test_a_task_that_lost_a_cancellation_is_cancelled_again() -> None:
    """Whoever swallows the first two goes on, and ends with the third."""
    lost = 0

    async def deaf() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost == 3:
                    raise

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    await ended([task], "the deaf")
    assert task.cancelled()
    assert lost == 3


async def test_who_does_not_end_is_named() -> None:
    """A task, an awaitable and a thread: the error says what was waited for."""
    go_on = asyncio.Event()

    async def stubborn() -> None:
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    with pytest.raises(AssertionError, match="the stubborn"):
        await ended([task], "the stubborn", 0.0)
    go_on.set()
    await task
    with pytest.raises(AssertionError, match="the news did not come"):
        await within(asyncio.Event().wait(), "the news", 0.01)
    held = threading.Event()
    thread = threading.Thread(target=held.wait, daemon=True)
    thread.start()
    with pytest.raises(AssertionError, match="the thread"):
        joined(thread, "the thread", 0.01)
    held.set()
    joined(thread, "the thread")


async def test_a_time_that_runs_out_inside_is_told_as_it_is() -> None:
    """It is another limit than that of the wait, and a result is given back."""

    async def late() -> None:
        raise TimeoutError("of its own")

    async def result() -> int:
        return 7

    with pytest.raises(TimeoutError, match="of its own"):
        await within(late(), "the late")
    assert await within(result(), "the result") == 7
