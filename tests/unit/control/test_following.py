"""A reader at each instance that serves, while it serves."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from services.control import following
from services.control.following import follow_instances
from tests.integration.envoys import until


class Instances:
    """A registry whose instances are set."""

    def __init__(self) -> None:
        self.instances: dict[str, Any] = {}
        self._changed = asyncio.Event()

    def set(self, **serving: bool) -> None:
        """These are there, and serve or not."""
        self.instances = {name: SimpleNamespace(name=name, serving=yes) for name, yes in serving.items()}
        self._changed.set()

    async def changed(self) -> None:
        """Returns at the next change."""
        await self._changed.wait()
        self._changed.clear()


class Readers:
    """What read whom, and how many there were."""

    def __init__(self) -> None:
        self.reading: dict[str, int] = {}
        self.begun = Counter[str]()
        self.ends: set[str] = set()

    async def read(self, instance: Any, count: int) -> None:
        """Reads until it is cancelled, or at once where its streams end."""
        self.begun[instance.name] += 1
        if instance.name in self.ends:
            return
        me = object()
        self.reading[instance.name] = count
        self._by = {**getattr(self, "_by", {}), instance.name: me}
        try:
            await asyncio.Event().wait()
        finally:
            if self._by[instance.name] is me:
                del self.reading[instance.name]


@contextlib.asynccontextmanager
async def running(registry: Instances, readers: Readers, **options: Any) -> AsyncIterator[None]:
    """Follows while the block runs; no reader is left behind it."""
    fits = options.pop("fits", lambda _: True)
    task = asyncio.create_task(follow_instances(registry, fits, readers.read, **options))  # type: ignore[arg-type]
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert readers.reading == {}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers that ended are looked for all the time."""
    monkeypatch.setattr(following, "LOOK_S", 0.005)


async def test_who_comes_is_read_and_who_goes_is_not() -> None:
    """Of those that fit and serve; a reader that has nothing to do with a change goes on."""
    registry, readers = Instances(), Readers()
    async with running(registry, readers, fits=lambda i: i.name != "other"):
        registry.set(a=True, b=False, other=True)
        await until(lambda: readers.reading.keys() == {"a"})
        registry.set(a=True, b=True)
        await until(lambda: readers.reading.keys() == {"a", "b"})
        registry.set(b=True)
        await until(lambda: readers.reading.keys() == {"b"})
        assert readers.begun == {"a": 1, "b": 1}


async def test_a_reader_whose_stream_ended_is_begun_again() -> None:
    """Without any change of the instances."""
    registry, readers = Instances(), Readers()
    readers.ends.add("a")
    async with running(registry, readers):
        registry.set(a=True)
        await until(lambda: readers.begun["a"] >= 3)
        readers.ends.clear()
        await until(lambda: readers.reading.keys() == {"a"})


async def test_readers_that_share_begin_anew_when_their_number_changes() -> None:
    """Each knows how many they are, and what is told of changes comes before those that begin."""
    registry, readers = Instances(), Readers()
    told: list[set[str]] = []

    async def changed(present: Any) -> None:
        told.append(set(present))

    async with running(registry, readers, shared=True, changed=changed):
        registry.set(a=True)
        await until(lambda: readers.reading == {"a": 1})
        registry.set(a=True, b=True)
        await until(lambda: readers.reading == {"a": 2, "b": 2})
        assert readers.begun["a"] == 2
        registry.set(b=True)
        await until(lambda: readers.reading == {"b": 1})
    assert told == [{"a"}, {"a", "b"}, {"b"}]
