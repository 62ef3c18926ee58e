"""What an instance does beside its calls and feeds: its parts, its readiness, and what grows old."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from typing import Any

from crossrate.runtime.process import Runtime
from services.marketdata.board import Board
from services.marketdata.catalogue import Catalogue
from services.marketdata.follower import Follower
from services.marketdata.health import HealthBoard
from services.marketdata.quote_log import pause

STALE_CHECK_S = 0.5
HEALTH_WAIT_S = 1.5


async def part(runtime: Runtime, closed: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Runs one part of the process; one that fails ends the process, in order."""
    # Cancelling the others alone is not enough, because asyncio.wait_for of Python 3.11, within the NATS client, loses
    # a cancellation that comes with its result.
    try:
        await work
    except Exception:
        runtime.stopping.set()
        closed.set()
        raise


# Health asks once a second; an answer that waits a little says "yes" as soon as it is true.
async def has_instruments(catalogue: Catalogue) -> None:
    """Returns when the instruments are known.

    Raises:
        TimeoutError: they are not yet.
    """
    async with asyncio.timeout(HEALTH_WAIT_S):
        await catalogue.ready.wait()


async def has_quotes(catalogue: Catalogue, follower: Follower, board: Board, *, expected: bool) -> None:
    """Returns when the log has been read and, if anything is quoted and quotes are `expected`, the first is there.

    Raises:
        TimeoutError: it is not so yet.
    """
    async with asyncio.timeout(HEALTH_WAIT_S):
        await catalogue.ready.wait()
        while not follower.complete or (expected and board.empty and any(i.quoted for i in catalogue.direct())):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await board.changed().wait()


async def keep_stale(board: Board, health: HealthBoard, stopping: asyncio.Event) -> None:
    """Marks what grows too old, until the process stops."""
    while not await pause(stopping, STALE_CHECK_S):
        board.mark_stale(time.time_ns())
        health.check()
