"""What a process ends does end, whatever loses its cancellation."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nkeys
import pytest
import structlog.testing

from crossrate.events import Events
from crossrate.runtime import ending
from tests.ending import within


class Deaf:
    """Work that loses its first cancellations."""

    def __init__(self, losses: int) -> None:
        self.losses = losses
        self.lost = 0
        self.begun = asyncio.Event()

    async def run(self) -> None:
        """Goes on until it is cancelled once more than it loses."""
        while True:
            self.begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if self.lost >= self.losses:
                    raise
                self.lost += 1


async def test_asyncio_loses_a_cancellation_that_comes_with_a_result() -> None:
    """What `heeded` is for: `wait_for` forgets it up to Python 3.11, and it counts all the same."""
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def waiting(heed: bool) -> int:
        wait = asyncio.wait_for(answer, 60.0)
        return await (ending.heeded(wait) if heed else wait)

    tasks = [asyncio.create_task(waiting(heed)) for heed in (False, True)]
    await asyncio.sleep(0)
    answer.set_result(7)
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await within(asyncio.wait(tasks), "their end")
    assert tasks[1].cancelled()
    # A later interpreter may do better; then `heeded` is not needed any more.
    assert tasks[0].cancelled() or tasks[0].result() == 7


async def test_what_is_not_cancelled_comes_to_what_it_comes_to() -> None:
    """A result, an error; and a time limit around it stays one."""
    assert await ending.heeded(asyncio.sleep(0, 7)) == 7

    async def fails() -> None:
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        await ending.heeded(fails())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await ending.heeded(asyncio.Event().wait())


async def test_a_cancellation_is_repeated_until_it_is_heard() -> None:
    """Also by who ends others and is cancelled meanwhile: the others have ended before it does."""
    deaf = Deaf(3)
    task = asyncio.create_task(deaf.run())
    await deaf.begun.wait()
    await within(ending.end([task], again_s=0.01), "the end")
    assert task.cancelled()
    assert deaf.lost == 3

    other = Deaf(2)
    held = asyncio.create_task(other.run())
    await other.begun.wait()
    ends = asyncio.create_task(ending.end([held], again_s=60.0, ended_s_max=600.0))
    for _ in range(other.losses + 2):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        ends.cancel()
    with pytest.raises(asyncio.CancelledError):
        await within(ends, "the end")
    assert held.cancelled()


async def test_who_never_ends_is_told_and_left_alone() -> None:
    """The log names the task and where it waits."""
    deaf = Deaf(1_000_000)
    task = asyncio.create_task(deaf.run(), name="the deaf")
    await deaf.begun.wait()
    with structlog.testing.capture_logs() as told:
        await within(ending.end([task], again_s=0.01, ended_s_max=0.05), "the end")
    (line,) = told
    assert line["task"].startswith("the deaf: ")
    assert "Deaf.run" in line["task"]
    assert "Event.wait" in line["task"]
    deaf.losses = 0
    await within(ending.end([task]), "the end")


async def test_parts_end_with_the_block() -> None:
    """One of parts within parts that loses its cancellation keeps nobody: a TaskGroup alone would wait for ever."""
    deaf, others = Deaf(1), [Deaf(0), Deaf(0)]

    async def inner() -> None:
        async with ending.Parts() as parts:
            parts.create_task(deaf.run())
            parts.create_task(others[0].run())
            await asyncio.Event().wait()

    async def block() -> None:
        async with ending.Parts() as parts:
            parts.create_task(inner())
            parts.create_task(others[1].run())
            for each in (deaf, *others):
                await each.begun.wait()

    await within(block(), "the end of the block")
    assert deaf.lost == 1


async def test_a_part_that_fails_ends_the_block_and_the_others() -> None:
    """Its error is told, and so is that of the block; neither part nor block goes on."""
    other = Deaf(0)

    async def fails() -> None:
        await other.begun.wait()
        raise ValueError("its own")

    async def block() -> None:
        async with ending.Parts() as parts:
            parts.create_task(other.run())
            parts.create_task(fails())
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as raised:
        await within(block(), "the end of the block")
    (error,) = raised.value.exceptions
    assert isinstance(error, ValueError)

    async def broken() -> None:
        async with ending.Parts() as parts:
            parts.create_task(Deaf(0).run())
            raise KeyError("the block's own")

    with pytest.raises(ExceptionGroup, match="unhandled") as raised:
        await within(broken(), "the end of the block")
    assert isinstance(raised.value.exceptions[0], KeyError)


async def test_what_nobody_waits_for_is_given_up() -> None:
    """How a connection is closed: an error is nobody's, and what takes too long is not waited for."""

    async def fails() -> None:
        raise OSError("gone")

    await ending.briefly(fails(), 60.0)
    await within(ending.briefly(Deaf(1).run(), 0.01), "giving it up")


async def test_connecting_to_a_server_that_is_away_ends_when_it_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt fails at the moment of the cancellation, and takes its place; still none goes on."""
    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER).decode()
    secret = {"url": "nats://127.0.0.1:1", "seed": seed, "inbox_prefix": "_INBOX"}
    (tmp_path / "nats.json").write_text(json.dumps({"nats": secret}))
    place = SimpleNamespace(credentials=lambda _: tmp_path / "nats.json")
    log = structlog.get_logger()
    runtime: Any = SimpleNamespace(service="trading", instance="trading-1", topology=None, log=log, place=place)
    refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    begun = asyncio.Event()

    async def attempt(*_: object, **__: object) -> None:
        begun.set()
        await asyncio.wait_for(asyncio.shield(refused), 60.0)

    monkeypatch.setattr("nats.aio.transport.TcpTransport.connect", attempt)
    opening = asyncio.create_task(Events.open(runtime))
    await within(begun.wait(), "an attempt")
    # The attempt fails and its task is cancelled within one turn of the loop.
    refused.set_exception(ConnectionRefusedError())
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await within(opening, "the end of connecting")
