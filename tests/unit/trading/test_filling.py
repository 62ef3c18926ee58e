"""How long orders wait for others to be admitted with."""

from __future__ import annotations

import asyncio
from collections import deque

from services.trading.engine.filling import Filling
from services.trading.engine.work import Group


def come(filling: Filling, waiting: deque[Group], entered: asyncio.Event, count: int) -> None:
    """So many callers come."""
    for _ in range(count):
        filling.came()
        waiting.append(Group("alpha", asyncio.get_running_loop().create_future()))
        entered.set()


async def test_who_is_alone_waits_for_nobody() -> None:
    """Also when he was answered before, and comes again."""
    waiting, entered = deque[Group](), asyncio.Event()
    filling = Filling(waiting, entered, 500)
    for _ in range(3):
        come(filling, waiting, entered, 1)
        step = filling.wait()
        try:
            step.send(None)
        except StopIteration:
            pass
        else:
            raise AssertionError("it waits")
        waiting.clear()
        filling.answered()


async def test_those_who_were_answered_are_waited_for() -> None:
    """A batch is that of all callers, not of those who came while the others were being answered."""
    waiting, entered = deque[Group](), asyncio.Event()
    filling = Filling(waiting, entered, 500)
    come(filling, waiting, entered, 16)
    await filling.wait()
    waiting.clear()
    with filling.commit():
        come(filling, waiting, entered, 16)
        waits = asyncio.create_task(filling.wait())
        await asyncio.sleep(0)
        assert not waits.done()
    for _ in range(16):
        filling.answered()
    come(filling, waiting, entered, 15)
    await waits
    assert len(waiting) == 31


async def test_those_who_do_not_come_again_are_waited_for_once() -> None:
    """After that, those who came are all there are."""
    waiting, entered = deque[Group](), asyncio.Event()
    filling = Filling(waiting, entered, 500)
    come(filling, waiting, entered, 16)
    waiting.clear()
    for _ in range(16):
        filling.answered()
    come(filling, waiting, entered, 1)
    await filling.wait()
    step = filling.wait()
    try:
        step.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits again")
