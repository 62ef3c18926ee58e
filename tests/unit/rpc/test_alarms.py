"""One timer for many deadlines."""

from __future__ import annotations

import asyncio
import time

from crossrate.rpc.alarms import ENTRIES_MAX, Alarms


class Work:
    """Something that may take too long, and counts how often it is asked whether it has ended."""

    asked = 0

    def __init__(self) -> None:
        self.ended = False

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        Work.asked += 1
        return self.ended


async def test_what_has_not_ended_is_rung_for_in_order_of_deadline() -> None:
    """Also when the later deadline was set first; what has ended is left alone."""
    rung: list[Work] = []
    alarms: Alarms[Work] = Alarms(rung.append)
    late, early, ended = Work(), Work(), Work()
    now = time.monotonic()
    alarms.set(now + 0.03, late)
    alarms.set(now + 0.01, early)
    alarms.set(now + 0.005, ended)
    ended.ended = True
    async with asyncio.timeout(60):
        while len(rung) < 2:  # noqa: ASYNC110 - the alarms tell nobody else
            await asyncio.sleep(0.005)
    assert rung == [early, late]


async def test_what_has_ended_is_cleared_away() -> None:
    """Far deadlines of calls that have ended do not pile up."""
    alarms: Alarms[Work] = Alarms(lambda work: None)
    far = time.monotonic() + 3600
    for _ in range(3 * ENTRIES_MAX):
        work = Work()
        work.ended = True
        alarms.set(far, work)
    assert len(alarms._heap) <= ENTRIES_MAX + 1


async def test_closed_it_rings_for_nobody() -> None:
    """And keeps nothing; what is set afterwards is rung for again."""
    rung: list[Work] = []
    alarms: Alarms[Work] = Alarms(rung.append)
    early, late = Work(), Work()
    alarms.set(time.monotonic() + 0.005, early)
    alarms.close()
    assert not alarms._heap
    alarms.set(time.monotonic() + 0.02, late)
    async with asyncio.timeout(60):
        while not rung:  # noqa: ASYNC110 - the alarms tell nobody else
            await asyncio.sleep(0.005)
    assert rung == [late]


async def test_many_that_are_under_way_are_not_looked_at_each_time() -> None:
    """Setting twice as many asks about twice as often, not four times."""
    alarms: Alarms[Work] = Alarms(lambda work: None)
    far, count = time.monotonic() + 3600, 16 * ENTRIES_MAX
    Work.asked = 0
    for _ in range(count):
        alarms.set(far, Work())
    assert Work.asked <= 2 * count
