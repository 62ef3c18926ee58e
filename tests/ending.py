"""Ends of what tests wait for: each has a bound, and an error that says what did not come."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")

ENDED_S_MAX = 120.0
AGAIN_S = 0.5


async def within(work: Awaitable[T], what: str, seconds: float = ENDED_S_MAX) -> T:
    """What `work` comes to.

    Raises:
        AssertionError: it does not in time; with `what`.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        raise AssertionError(f"{what} did not come within {seconds:g} s") from None


async def ended(tasks: Iterable[asyncio.Future[Any]], whose: str, seconds: float = ENDED_S_MAX) -> None:
    """Cancels tasks until all have ended, whatever with: `asyncio.wait_for` of Python 3.11 loses a cancellation that
    comes together with its result, and its task then goes on for ever.

    Raises:
        AssertionError: they do not end in time.
    """
    pending, loop = set(tasks), asyncio.get_running_loop()
    end = loop.time() + seconds
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_S)
        assert not pending or loop.time() < end, f"{whose}: {pending} did not end within {seconds:g} s"


def joined(thread: threading.Thread, what: str, seconds: float = ENDED_S_MAX) -> None:
    """Waits for the end of a thread.

    Raises:
        AssertionError: it does not come in time.
    """
    thread.join(seconds)
    assert not thread.is_alive(), f"{what} did not end within {seconds:g} s"
