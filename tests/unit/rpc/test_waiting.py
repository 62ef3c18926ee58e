"""What waits for a reader is bounded, in order, and nothing is lost without being told."""

from __future__ import annotations

import asyncio
import random

from crossrate.rpc.waiting import Waiting


async def test_what_finds_no_room_is_counted_in_the_next_that_does() -> None:
    """Whatever is put and taken: what came out, and what it says was left out before it, is what was put, in order."""
    chance = random.Random(7)
    for _ in range(200):
        count_max, bytes_max = chance.randint(1, 5), chance.randint(1, 40)
        waiting: Waiting[tuple[int, int]] = Waiting(count_max, bytes_max)
        held: list[int] = []
        told, put = 0, 0
        for _ in range(100):
            if waiting and chance.random() < 0.4:
                number, left_out = await waiting.take()
                assert number == told + left_out
                told = number + 1
                held.pop(0)
                continue
            size = chance.randint(0, 20)
            room = len(held) < count_max and sum(held) + size <= bytes_max
            assert waiting.put(size, lambda left_out, n=put: (n, left_out)) is room
            put += 1
            held += [size] if room else []
            assert len(waiting) == len(held) <= count_max


async def test_who_takes_waits_until_there_is_something() -> None:
    """A taker that came first gets what is put, and one that was given up takes nothing away."""
    waiting: Waiting[str] = Waiting(4, 100)
    given_up, taker = asyncio.ensure_future(waiting.take()), asyncio.ensure_future(waiting.take())
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    waiting.leave_out()
    assert waiting.put(1, lambda left_out: f"after {left_out}")
    async with asyncio.timeout(60):
        assert await taker == "after 1"
    assert not len(waiting)
